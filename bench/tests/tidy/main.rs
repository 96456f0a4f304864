//! What ARCHITECTURE.md calls an invariant and a machine can see in the text: a table of rules.
//!
//! A rule says what is kept, looks for breaches and says what to do about one. A new one is a row
//! in `rules.rs`, a function that looks, and an example of what breaks it in `broken.rs`.

mod broken;
mod circles;
mod imports;
mod layer;
mod modules;
mod names;
mod rules;
mod search;
mod sizes;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use rules::{RULES, Rule};
use source::File;

/// Our packages, by their folders.
const PACKAGES: [&str; 10] = [
    "lockimpls",
    "lockimpls/anylock",
    "lockimpls/profiled",
    "workloads",
    "workloads/programs",
    "results/histograms",
    "results",
    "plots",
    "bench",
    "bench/serve",
];

/// All that rules look at.
struct House {
    files: Vec<File>,
    /// Each package's manifest, by its folder.
    manifests: Vec<(String, String)>,
    /// ARCHITECTURE.md.
    architecture: String,
}

impl House {
    fn read() -> House {
        let root = root();
        let manifest = |package: &&str| {
            let text = fs::read_to_string(root.join(package).join("Cargo.toml")).expect(package);
            ((*package).to_owned(), text)
        };
        House {
            files: source::all(&root, &["lockimpls", "workloads", "results", "plots", "bench"]),
            manifests: PACKAGES.iter().map(manifest).collect(),
            architecture: fs::read_to_string(root.join("ARCHITECTURE.md"))
                .expect("ARCHITECTURE.md"),
        }
    }

    /// The files of that folder.
    fn within(&self, folder: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.is_in(folder))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a rule found, as it is told: what, where, what to do.
fn told(rule: &Rule, house: &House) -> Option<String> {
    let mut breaches = (rule.breaches)(house);
    let all = breaches.len();
    breaches.truncate(20);
    if all > breaches.len() {
        breaches.push(format!("and {} more", all - breaches.len()));
    }
    let told = || format!("{}:\n  {}\n  => {}\n", rule.kept, breaches.join("\n  "), rule.mend);
    (all > 0).then(told)
}

#[test]
fn the_house_is_in_order() {
    let house = House::read();
    let told: String = RULES.iter().filter_map(|rule| told(rule, &house)).collect();
    assert!(told.is_empty(), "\n{told}");
}
