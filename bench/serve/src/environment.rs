//! The variables that decide which checkout git speaks of. `build.rs` knows them too.

/// What `git rev-parse --local-env-vars` lists, settings (`GIT_CONFIG_*`) left aside, as git itself
/// does it for a submodule. They are set where git runs a hook, and would send a git that is asked
/// about one folder to another checkout.
pub const OF_A_CHECKOUT: [&str; 13] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];
