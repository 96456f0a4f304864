//! Every backend crossed with every workload. Both are compiled once: a workload calls the
//! backend's layer through its table.

use lockimpls::{Backend, Layer, SockType};
use workloads::{Kind, Need, Parameter, Plan, Question, testing};

use crate::added::added;
#[cfg(feature = "variants")]
use crate::slice::Profiled;
use crate::slice::{self, Outcome, Slice};

/// One backend under one workload.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The backend.
    pub backend: Backend,
    /// The workload.
    pub workload: Workload,
}

impl Case {
    /// Runs it for a slice.
    ///
    /// # Errors
    /// As [`slice::run`].
    pub fn run(&self, slice: &Slice<'_>) -> Result<Outcome, String> {
        slice::run(self, slice)
    }

    /// Runs it for a slice on locks that keep a profile.
    ///
    /// # Errors
    /// As [`slice::profile`].
    #[cfg(feature = "variants")]
    pub fn profile(&self, slice: &Slice<'_>) -> Result<Profiled, String> {
        slice::profile(self, slice)
    }
}

/// What is known of a workload without its type.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// [`Kind::NAME`].
    pub name: &'static str,
    /// [`Kind::ABOUT`].
    pub about: &'static str,
    /// [`Kind::OPERATION`].
    pub operation: &'static str,
    /// [`Kind::QUESTION`].
    pub question: Option<Question>,
    /// [`Kind::IS_USUAL`].
    pub is_usual: bool,
    /// [`Kind::IS_PRIVATE`].
    pub is_private: bool,
    /// [`Kind::PARAMETERS`].
    pub parameters: &'static [Parameter],
    /// [`Kind::pace`].
    pub pace: fn(&Plan) -> Option<f64>,
    /// [`Kind::threads`].
    pub threads: fn(&Plan) -> Option<usize>,
    /// [`Kind::needs`].
    pub needs: fn(SockType) -> &'static [Need],
    /// [`Kind::fits`].
    pub fits: fn(&Plan) -> Result<(), String>,
    /// Opens its sockets.
    pub(crate) open: slice::Open,
    /// [`testing::run_on`].
    pub checked: fn(&dyn Layer, &Plan, u64) -> testing::Outcome,
    /// [`slice::code`].
    pub code: fn() -> [usize; 2],
}

impl Workload {
    /// The workload of this type.
    #[must_use]
    pub fn of<K: Kind>() -> Workload {
        Workload {
            name: K::NAME,
            about: K::ABOUT,
            operation: K::OPERATION,
            question: K::QUESTION,
            is_usual: K::IS_USUAL,
            is_private: K::IS_PRIVATE,
            parameters: K::PARAMETERS,
            pace: K::pace,
            threads: K::threads,
            needs: K::needs,
            fits: K::fits,
            open: slice::open::<K::On>,
            checked: testing::run_on::<K>,
            code: slice::code::<K>,
        }
    }
}

/// Every case, backend by backend.
#[must_use]
pub fn cases() -> Vec<Case> {
    let workloads = workloads();
    let on = |backend| workloads.iter().map(move |workload| Case { backend, workload: *workload });
    backends().into_iter().flat_map(on).collect()
}

/// Every backend, in the order they are shown.
#[must_use]
pub fn backends() -> Vec<Backend> {
    [lockimpls::backends(), added().backends.clone()].concat()
}

/// Every workload, in the order they are shown.
#[must_use]
pub fn workloads() -> Vec<Workload> {
    [built_in(), added().workloads.clone()].concat()
}

/// Those of the registry.
#[must_use]
pub fn built_in() -> Vec<Workload> {
    struct All(Vec<Workload>);
    impl workloads::Visitor for All {
        fn visit<K: Kind>(&mut self) {
            self.0.push(Workload::of::<K>());
        }
    }
    let mut all = All(Vec::new());
    workloads::visit_all(&mut all);
    all.0
}

/// The workload of that name, if this program knows it.
#[must_use]
pub fn workload(name: &str) -> Option<Workload> {
    workloads().into_iter().find(|workload| workload.name == name)
}

/// The backends of a run that names none.
#[must_use]
pub fn usual_backends() -> Vec<Backend> {
    backends().into_iter().filter(|backend| backend.is_usual).collect()
}

/// The workloads of a run that names none.
#[must_use]
pub fn usual() -> Vec<&'static str> {
    workloads().iter().filter(|one| one.is_usual).map(|one| one.name).collect()
}

/// Those whose threads meet at no socket.
#[must_use]
pub fn private() -> Vec<&'static str> {
    workloads().iter().filter(|one| one.is_private).map(|one| one.name).collect()
}

/// The numbers of workloads' own, in the order of these.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    workloads().into_iter().flat_map(|workload| workload.parameters)
}

/// More names than these are not listed to somebody who asked for another.
const LISTED_MAX: usize = 40;

/// How many of more are.
const NEAREST: usize = 8;

/// Checks a name that a user gave.
///
/// # Errors
/// It is none of the valid ones: the message lists them, and the nearest; of many, the nearest.
pub fn check_name(what: &str, asked: &str, valid: &[&str]) -> Result<(), String> {
    if valid.contains(&asked) {
        return Ok(());
    }
    let mut by_distance: Vec<_> =
        valid.iter().map(|name| (strsim::damerau_levenshtein(asked, name), *name)).collect();
    by_distance.sort_unstable();
    if valid.len() > LISTED_MAX {
        let nearest: Vec<&str> = by_distance.iter().take(NEAREST).map(|(_, name)| *name).collect();
        let (count, nearest) = (valid.len(), nearest.join(", "));
        return Err(format!("there is no {what} {asked:?}; there are {count}, such as {nearest}"));
    }
    let nearest = by_distance.iter().find(|(distance, name)| *distance <= name.len().div_ceil(2));
    let hint = nearest.map_or_else(String::new, |(_, name)| format!("; did you mean {name:?}?"));
    Err(format!("there is no {what} {asked:?}; there are {}{hint}", valid.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_meets_every_workload_once() {
        let mut pairs: Vec<_> =
            cases().iter().map(|case| (case.backend.name, case.workload.name)).collect();
        assert_eq!(pairs.len(), backends().len() * workloads().len());
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), backends().len() * workloads().len());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_valid_ones_and_the_nearest() {
        let valid = ["global", "per-socket", "lock-free"];
        assert_eq!(check_name("backend", "global", &valid), Ok(()));
        let error = check_name("backend", "per_socket", &valid).unwrap_err();
        assert!(error.contains("global, per-socket, lock-free"), "{error}");
        assert!(error.ends_with("did you mean \"per-socket\"?"), "{error}");
        let error = check_name("backend", "zzzzzzzzzzzz", &valid).unwrap_err();
        assert!(!error.contains("did you mean"), "{error}");
    }

    #[test]
    fn of_many_names_the_nearest_are_said() {
        let many: Vec<String> = (0..=LISTED_MAX).map(|i| format!("leak-{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let error = check_name("control", "leak-7x", &many).unwrap_err();
        assert!(error.contains("there are 41, such as leak-7, "), "{error}");
        assert_eq!(error.matches("leak-").count(), 1 + NEAREST, "{error}");
        assert!(check_name("control", "", &many).unwrap_err().contains("\"\""));
    }
}
