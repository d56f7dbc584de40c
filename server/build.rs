//! Rebuilds the server when the files of the page change, which it carries inside.

fn main() {
    println!("cargo::rerun-if-changed=../target/site/manifest.json");
}
