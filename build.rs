//! Puts into the binary the commit it is built from, for the manifest of results, and the cases of
//! `anthill validate`, so that a new case is a new file and nothing else.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    commit();
    cases();
    println!("cargo::rerun-if-changed=build.rs");
}

/// Writes the list of (id, text) of every case, in order of ids, as Rust that `scenario` includes.
fn cases() {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where"))
        .join("scenarios/validation");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = std::fs::read_dir(&folder).expect("there are cases");
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    files.retain(|path| {
        path.extension().is_some_and(|end| end == "toml") && !path.ends_with("not_there.toml")
    });
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let id = path.file_stem().expect("a file has a name").to_string_lossy();
        writeln!(list, "    ({id:?}, include_str!({path:?})),").expect("a string can be written to");
    }
    list.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo says where"));
    std::fs::write(out.join("validation.rs"), list).expect("cargo's folder can be written to");
}

/// Tells the program its commit.
fn commit() {
    let commit = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned());
    println!("cargo::rustc-env=ANTHILL_COMMIT={commit}");
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/refs/heads");
}
