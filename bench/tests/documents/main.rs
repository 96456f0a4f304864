//! What documents of the repository show of recorded runs is what the files of those runs say.

mod granularities;
mod readme;
mod shown;
