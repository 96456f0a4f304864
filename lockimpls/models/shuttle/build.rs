//! Has this package's build of `lockimpls/src` stand on shuttle's primitives.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=solock_shuttle");
}
