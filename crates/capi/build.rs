//! Names the shared library as programs that were linked with libzmq look for it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libzmq.so.5");
}
