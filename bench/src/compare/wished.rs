//! What the environment sets where a commit's own settings set it, too.
//!
//! In a clone of the commit cargo would find its settings by itself, and they would rank below the
//! environment. Here they are handed over as a file, which ranks above it: so each variable that
//! sets the same is handed over behind the file.

use toml::de::{DeTable, DeValue};

/// Lists, to which cargo adds what the environment has, wherever they stand.
const LISTS: [&str; 2] = ["rustflags", "rustdocflags"];

/// Settings of cargo's, as `--config` takes them: each that these have and that a variable sets.
#[must_use]
pub fn wished(settings: &str, variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(settings) = DeTable::parse(settings) {
        collect("", settings.get_ref(), variable, &mut found);
    }
    found
}

fn collect(
    above: &str,
    table: &DeTable<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    found: &mut Vec<String>,
) {
    // No variable names a key that must stand in quotes.
    let is_bare =
        |key: &str| key.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it));
    for (key, value) in table {
        let key: &str = key.get_ref();
        let path = if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
        match value.get_ref() {
            _ if !is_bare(key) || LISTS.contains(&key) => {}
            DeValue::Table(table) => collect(&path, table, variable, found),
            DeValue::Array(_) => {}
            _ => {
                let name = format!("CARGO_{}", path.to_uppercase().replace(['.', '-'], "_"));
                found.extend(variable(&name).map(|value| format!("{path}={}", read(&value))));
            }
        }
    }
}

/// A variable's value as cargo reads it: true or false, a number, or a text.
fn read(value: &str) -> serde_json::Value {
    match value {
        "true" | "false" => (value == "true").into(),
        _ => value.parse::<i64>().map_or_else(|_| value.into(), Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_ranks_above_what_a_commit_sets() {
        let settings = "build.rustflags = '-g'\nbuild.incremental = true\npaths = ['a']\n\
                        [profile.release]\nopt-level = 1\nlto = true\npanic = 'abort'\n\
                        [target.x86_64-unknown-linux-gnu]\nlinker = 'cc'\n\
                        [target.'cfg(unix)']\nrunner = 'x'\n[env]\nX = { value = 'x' }\n";
        let set = [
            ("CARGO_BUILD_RUSTFLAGS", "-O"),
            ("CARGO_BUILD_INCREMENTAL", "false"),
            ("CARGO_PATHS", "b"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
            ("CARGO_PROFILE_RELEASE_LTO", "fat \"and\" slow"),
            ("CARGO_PROFILE_RELEASE_DEBUG", "1"),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "/bin/ld"),
        ];
        let variable = |name: &str| {
            set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
        };
        let mut wished = wished(settings, &variable);
        wished.sort();
        assert_eq!(
            wished,
            [
                "build.incremental=false",
                "profile.release.lto=\"fat \\\"and\\\" slow\"",
                "profile.release.opt-level=2",
                "target.x86_64-unknown-linux-gnu.linker=\"/bin/ld\"",
            ]
        );
        assert!(super::wished("no settings", &variable).is_empty());
    }
}
