//! What a program has beside what is built in: backends, workloads and locks of other crates, and
//! what it was built from. `solock` has nothing.

use std::sync::OnceLock;

use lockimpls::{Algorithm, Backend};

use crate::locks::Locks;
use crate::matrix::{self, Workload};

/// What is added.
#[derive(Debug, Default)]
pub struct Added {
    /// Backends, in the order they are shown.
    pub backends: Vec<Backend>,
    /// Workloads, in the order they are shown.
    pub workloads: Vec<Workload>,
    /// Locks.
    pub locks: Locks,
    /// The crate of the program, if it is another than `solock`.
    pub built_from: Option<BuiltFrom>,
}

/// What a program of another crate was built from.
#[derive(Clone, Copy, Debug)]
pub struct BuiltFrom {
    /// The path of its manifest.
    pub manifest: &'static str,
    /// The name of the program.
    pub program: &'static str,
    /// Its commit, if its build said so; empty: it is in no checkout.
    pub commit: Option<&'static str>,
    /// Whether its source differed from that commit, `true` or `false`, if its build said so.
    pub dirty: Option<&'static str>,
}

impl BuiltFrom {
    /// Its commit, if that is known.
    #[must_use]
    pub fn commit(&self) -> Option<&'static str> {
        self.commit.filter(|commit| !commit.is_empty())
    }

    /// Whether its source differed from that commit, if that is known.
    #[must_use]
    pub fn dirty(&self) -> Option<bool> {
        self.commit()?;
        self.dirty?.parse().ok()
    }
}

/// The variable in which the build of another crate's program is told its commit.
pub const OWN_COMMIT: &str = "SOLOCK_OWN_COMMIT";
/// The variable in which it is told whether the source is another.
pub const OWN_DIRTY: &str = "SOLOCK_OWN_DIRTY";

static ADDED: OnceLock<Added> = OnceLock::new();

/// Adds it to this program: once, before anything is looked up.
///
/// # Errors
/// Two have one name, or a name is none.
///
/// # Panics
/// Something was looked up before.
pub fn add(added: Added) -> Result<(), String> {
    check(&added)?;
    assert!(ADDED.set(added).is_ok(), "what is added comes before what is looked up");
    Ok(())
}

/// What was added.
pub fn added() -> &'static Added {
    ADDED.get_or_init(Added::default)
}

/// What this program is called.
#[must_use]
pub fn name() -> &'static str {
    added().built_from.map_or("solock", |own| own.program)
}

/// Whether a backend was added.
#[must_use]
pub fn is_added(backend: &Backend) -> bool {
    added().backends.iter().any(|one| one.name == backend.name)
}

fn check(added: &Added) -> Result<(), String> {
    let names = |built_in: Vec<&'static str>, own: Vec<&'static str>| [built_in, own].concat();
    let of_backends = |all: &[Backend]| all.iter().map(|one| one.name).collect();
    let of_workloads = |all: &[Workload]| all.iter().map(|one| one.name).collect();
    let of_locks = |all: &[Algorithm]| all.iter().map(|one| one.name()).collect();
    let backends = names(of_backends(&lockimpls::backends()), of_backends(&added.backends));
    let workloads = names(of_workloads(&matrix::built_in()), of_workloads(&added.workloads));
    let locks = names(of_locks(&Algorithm::ALL), of_locks(added.locks.own()));
    are_names("backend", &backends)?;
    are_names("workload", &workloads)?;
    are_names("lock", &locks)?;
    are_parameters(&[matrix::built_in(), added.workloads.clone()].concat())
}

/// Parameters of workloads: each has a flag and a field of its own, and a default that it can be.
fn are_parameters(workloads: &[Workload]) -> Result<(), String> {
    let all = workloads.iter().flat_map(|one| one.parameters);
    let flags: Vec<&str> = all.clone().map(|parameter| parameter.flag).collect();
    are_names("flag", &flags)?;
    let fields: Vec<&str> = all.clone().map(|parameter| parameter.field).collect();
    for (place, field) in fields.iter().enumerate() {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if field.is_empty() || !field.bytes().all(is_plain) {
            return Err(format!(
                "no field of a record can be called {field:?}: a field's name is of small letters, \
                 digits and underscores"
            ));
        }
        // A cell is found again by it.
        if fields[..place].contains(field) {
            return Err(format!("two parameters have the field {field:?}"));
        }
    }
    all.clone().try_for_each(|parameter| {
        let flag = parameter.flag;
        parameter.check(parameter.default).map_err(|why| format!("the default of --{flag}: {why}"))
    })
}

/// Names as cells have them, no two alike.
fn are_names(what: &str, names: &[&str]) -> Result<(), String> {
    for (place, name) in names.iter().enumerate() {
        let is_word = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !name.split('-').all(is_word) || ["all", "none"].contains(name) {
            return Err(format!(
                "no {what} can be called {name:?}: a name is of small letters, digits and single \
                 dashes, and neither \"all\" nor \"none\""
            ));
        }
        if names[..place].contains(name) {
            return Err(format!("two {what}s are called {name:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use workloads::Parameter;

    use super::*;

    #[test]
    fn names_are_words_and_no_two_are_alike() {
        assert_eq!(are_names("lock", &["a", "a-b", "rwlock9-2025"]), Ok(()));
        for bad in ["", "all", "none", "A", "a b", "a/b", "a--b", "-a", "a_b"] {
            assert!(are_names("lock", &["b", bad]).unwrap_err().contains("can be called"), "{bad}");
        }
        assert_eq!(are_names("lock", &["a", "b", "a"]), Err("two locks are called \"a\"".into()));
    }

    #[test]
    fn parameters_are_told_apart_by_flag_and_by_field() {
        let with = |change: fn(&mut Parameter)| {
            let mut own = *matrix::parameters().next().unwrap();
            (own.flag, own.field) = ("depth", "depth");
            change(&mut own);
            let parameters: &'static [Parameter] = vec![own].leak();
            let own = Workload { name: "own", parameters, ..matrix::built_in()[0] };
            check(&Added { workloads: vec![own], ..Added::default() })
        };
        assert_eq!(with(|_| ()), Ok(()));
        let why = |change| with(change).unwrap_err();
        assert_eq!(why(|own| own.flag = "fan"), "two flags are called \"fan\"");
        // Three are fields of their own in records, and `groups` and `fan` whole ones.
        for (field, change) in [
            ("rate_asked", (|own| own.field = "rate_asked") as fn(&mut Parameter)),
            ("groups", |own| own.field = "groups"),
            ("fan", |own| own.field = "fan"),
        ] {
            assert_eq!(why(change), format!("two parameters have the field {field:?}"));
        }
        assert!(why(|own| own.field = "a/b").contains("no field of a record"));
        assert!(why(|own| own.field = "").contains("no field of a record"));
        assert!(why(|own| own.default = -1.0).starts_with("the default of --depth: valid are"));
    }

    #[test]
    fn of_no_commit_nothing_is_said() {
        let of = |commit, dirty| {
            let own = BuiltFrom { manifest: "", program: "", commit, dirty };
            (own.commit(), own.dirty())
        };
        assert_eq!(of(Some("abc"), Some("false")), (Some("abc"), Some(false)));
        assert_eq!(of(Some("abc"), Some("true")), (Some("abc"), Some(true)));
        // A recipe that says the commit alone does not say that nothing was changed.
        assert_eq!(of(Some("abc"), None), (Some("abc"), None));
        assert_eq!(of(Some("abc"), Some("")), (Some("abc"), None));
        assert_eq!(of(Some(""), Some("false")), (None, None));
        assert_eq!(of(None, Some("false")), (None, None));
    }

    #[test]
    fn what_is_added_has_no_name_of_what_is_built_in() {
        let global = lockimpls::backends()[0];
        let added = Added { backends: vec![global], ..Added::default() };
        assert_eq!(check(&added), Err("two backends are called \"global\"".to_owned()));
        let workloads = vec![matrix::built_in()[0]];
        let added = Added { workloads, ..Added::default() };
        assert_eq!(check(&added), Err("two workloads are called \"pairs\"".to_owned()));
        assert_eq!(check(&Added::default()), Ok(()));
    }
}
