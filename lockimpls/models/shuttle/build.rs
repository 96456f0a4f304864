//! Has this package's build of `lockimpls/src` stand on shuttle's primitives, or be empty.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let has_shuttle = std::env::var_os("CARGO_FEATURE_SHUTTLE").is_some();
    println!("cargo::rustc-cfg={}", if has_shuttle { "solock_shuttle" } else { "solock_empty" });
}
