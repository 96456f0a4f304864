//! Programs that are kept, whose turn it is, and what can be left out of them.

use std::time::Duration;

use super::*;

#[test]
fn a_package_says_what_can_be_left_out_of_it() {
    assert!(has_variants("[features]\ndefault = [\"variants\"]\nvariants = []"));
    for manifest in ["", "[features]\nvariant = []", "features = \"variants\"", "[features"] {
        assert!(!has_variants(manifest), "{manifest}");
    }
    let own = fs::read_to_string("serve/Cargo.toml").expect("it is here");
    assert!(has_variants(&own), "else it is built with everything");
}

/// The folders of programs that are kept, by name.
fn names(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).expect("readable").flatten();
    let mut names: Vec<String> =
        all.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn so_many_programs_are_kept_and_the_longest_unused_go_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = Repository { root: folder.path().to_owned() };
    let (interrupt, watch) = (Interrupt::default(), Watch::new());
    let around = Around { interrupt: &interrupt, watch: &watch };
    let lock = Lock::take(&folder.path().join("lock"), around).expect("taken");
    let all = folder.path().join("programs");
    let now = SystemTime::now();
    let used = |name: u32, ago: u64| {
        let one = all.join(name.to_string());
        fs::create_dir_all(&one).expect("made");
        let when = now - Duration::from_secs(ago);
        File::open(one).expect("there").set_modified(when).expect("set");
    };
    // The larger the name, the longer ago, but for one.
    (0..10).for_each(|name| used(name, u64::from(name) * 60));
    used(9, 1);
    let programs = Programs {
        folder: folder.path().to_owned(),
        repository: &repository,
        interrupt: &interrupt,
        watch: &watch,
        surroundings: Surroundings::of(&repository.root).expect("a compiler"),
        kind: Kind::Serving,
        scratch: Arc::new(Folder::of_this_process(&folder.path().join("linked"))),
        lock: Arc::new(lock),
    };
    programs.forget_oldest();
    assert_eq!(names(&all), ["0", "1", "2", "3", "4", "5", "6", "9"]);
    programs.forget_oldest();
    assert_eq!(names(&all).len(), KEPT_MAX, "no more than too many");
    // What is found is young again.
    fs::write(all.join("6").join(PROGRAM), "").expect("written");
    assert!(programs.kept("6").is_some() && programs.kept("0").is_none());
    used(10, 30);
    programs.forget_oldest();
    assert_eq!(names(&all), ["0", "1", "10", "2", "3", "4", "6", "9"]);
}

#[test]
fn the_program_of_another_crate_is_built_of_its_checkout_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("there").join("checkout");
    let inside = root.join("mine/Cargo.toml");
    fs::create_dir_all(root.join("mine")).expect("made");
    fs::write(&inside, "").expect("written");
    let manifest = inside.display().to_string().leak();
    let own = BuiltFrom { manifest, program: "mine", commit: None, dirty: None };
    let kind = own_kind(&own, &Repository { root: root.clone() });
    assert_eq!(kind, Ok(Kind::Own { manifest: "mine/Cargo.toml", program: "mine" }));
    let why = own_kind(&own, &Repository { root: root.join("elsewhere") }).unwrap_err();
    assert!(why.contains("which is not in the checkout"), "{why}");
}

#[test]
fn that_a_side_has_one_layout_is_told_with_its_name_and_why() {
    let told = one_layout("HEAD~1", "no such flag");
    assert!(told.starts_with("HEAD~1 could not be linked"), "{told}");
    assert!(told.ends_with("lies (no such flag)"), "{told}");
}
