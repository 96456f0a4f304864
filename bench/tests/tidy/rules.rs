//! The rules.

use super::House;
use super::circles::circles;
use super::imports::{crates, floors};
use super::layer::{covariates, layer, models, primitives, tokens, unsafe_code, witness};
use super::modules::modules;
use super::names::{backends, limits, locks, map};
use super::sizes::{columns, file_sizes, function_sizes};

/// Something that is kept.
pub(crate) struct Rule {
    /// Its name, for the examples of what breaks it.
    pub(crate) name: &'static str,
    /// What is kept.
    pub(crate) kept: &'static str,
    /// Where it is not, each with what there is.
    pub(crate) breaches: fn(&House) -> Vec<String>,
    /// What to do then.
    pub(crate) mend: &'static str,
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "crates",
        kept: "packages import one way",
        breaches: crates,
        mend: "take what is needed as a parameter, or move it down; see ARCHITECTURE.md, The map",
    },
    Rule {
        name: "floors",
        kept: "lockimpls is built in floors: a file imports from its own and those below",
        breaches: floors,
        mend: "move what is shared down, or hand it in from above; ARCHITECTURE.md has the drawing",
    },
    Rule {
        name: "circles",
        kept: "the files of lockimpls import each other in no circle but the one that has a reason",
        breaches: circles,
        mend: "move what both need into a file of its own, below; or hand it in from above",
    },
    Rule {
        name: "unsafe",
        kept: "`unsafe` is in the files that ARCHITECTURE.md lists, and nowhere else",
        breaches: unsafe_code,
        mend: "do without; or argue for the file in its head, and list it in the invariant's line",
    },
    Rule {
        name: "primitives",
        kept: "atomics, cells, parking, fences and locks come from `primitives` alone",
        breaches: primitives,
        mend: "use crate::primitives or crate::sync: the models compile the same source on theirs",
    },
    Rule {
        name: "models",
        kept: "what a model checker's package stands on is known to `primitives` alone",
        breaches: models,
        mend: "put the difference into primitives/loom.rs or primitives/shuttle.rs",
    },
    Rule {
        name: "layer",
        kept: "lockimpls knows nothing of pinning, clocks, histograms and files",
        breaches: layer,
        mend: "leave it to bench, which measures and keeps",
    },
    Rule {
        name: "witness",
        kept: "the witness has no switch, and its unchecked twin one user, calibrate.rs",
        breaches: witness,
        mend: "what must be faster is made faster, and stays on; only tests may be left out",
    },
    Rule {
        name: "tokens",
        kept: "the token of a locked socket is made by the verb that locks it, and by the twins",
        breaches: tokens,
        mend: "call the verb; or take the token from whoever has it",
    },
    Rule {
        name: "covariates",
        kept: "what decides whether a slice counts sees no measured value",
        breaches: covariates,
        mend: "decide by what else the machine did: host_noise, and nothing of what was measured",
    },
    Rule {
        name: "map",
        kept: "every source file stands on the map",
        breaches: map,
        mend: "name it, or its folder, with its subject in ARCHITECTURE.md",
    },
    Rule {
        name: "modules",
        kept: "a file in a folder of tests is a module of a test program",
        breaches: modules,
        mend: "declare it with `mod` in the file above it; without that nobody runs it",
    },
    Rule {
        name: "limits of workloads",
        kept: "every workload says what it does not show",
        breaches: limits,
        mend: "add the section `# What this does not show` to the head of the file",
    },
    Rule {
        name: "backends",
        kept: "workloads name no backend",
        breaches: backends,
        mend: "ask Layer for what differs, or leave it to bench",
    },
    Rule {
        name: "locks",
        kept: "results and plots name no backend and no lock",
        breaches: locks,
        mend: "take the name from the record, or from Words and Options",
    },
    Rule {
        name: "columns",
        kept: "a line has at most 100 columns, but for rows of tables in comments",
        breaches: columns,
        mend: "break it; a long text with `\\` or concat!",
    },
    Rule {
        name: "file size",
        kept: "a file has at most 400 lines, those of LONG_FILES at most theirs",
        breaches: file_sizes,
        mend: "split it by subject; the table only ever shrinks",
    },
    Rule {
        name: "function size",
        kept: "a function has at most 60 lines, a test 80, those of LONG_FUNCTIONS at most theirs",
        breaches: function_sizes,
        mend: "ifs up, loops down: compute in smaller ones; the table only ever shrinks",
    },
];
