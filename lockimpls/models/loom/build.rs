//! Chooses loom's primitives for this package's copy of `lockimpls`, or leaves it empty.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let has_loom = std::env::var_os("CARGO_FEATURE_LOOM").is_some();
    println!("cargo::rustc-cfg={}", if has_loom { "solock_loom" } else { "solock_empty" });
}
