//! Records of runs: the format, the store, the statistics. Knows nothing of locks.
