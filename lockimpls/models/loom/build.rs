//! Chooses loom's primitives for this package's copy of `lockimpls`.

fn main() {
    println!("cargo:rustc-cfg=solock_loom");
    println!("cargo:rerun-if-changed=build.rs");
}
