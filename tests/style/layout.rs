//! The layout of Rust files: one folder and one `mod.rs` for each module with submodules, short files that open with
//! what they do, and paths from the root of the crate.

use std::collections::BTreeSet;

use crate::style::assert_none;
use crate::style::sources::rust_sources;

const MAX_LINES: usize = 500;

#[test]
fn a_module_with_a_folder_is_the_mod_rs_of_the_folder() {
    let paths = rust_sources().filter_map(|source| source.path.rsplit_once('/'));
    let folders: BTreeSet<_> = paths.map(|(folder, _)| folder).collect();
    let mut mistakes = Vec::new();
    for source in rust_sources() {
        let module = source.path.trim_end_matches(".rs");
        if folders.contains(module) {
            mistakes.push(format!(
                "{}:1: a file beside its folder: move it to {module}/mod.rs",
                source.path
            ));
        }
    }
    assert_none(&mistakes);
}

#[test]
fn rust_files_have_at_most_500_lines() {
    let mut mistakes = Vec::new();
    for source in rust_sources() {
        let count = source.text.lines().count();
        if count > MAX_LINES {
            mistakes.push(format!(
                "{}:{count}: more than {MAX_LINES} lines: split it, one noun a file",
                source.path
            ));
        }
    }
    assert_none(&mistakes);
}

#[test]
fn no_path_leads_up_by_more_than_one_super() {
    let mut mistakes = Vec::new();
    for source in rust_sources() {
        for (number, line) in (1..).zip(&source.lines) {
            if line.code.contains("super::super") {
                mistakes.push(format!(
                    "{}:{number}: super::super: write crate::…",
                    source.path
                ));
            }
        }
    }
    assert_none(&mistakes);
}

#[test]
fn files_of_src_folders_open_with_what_they_do() {
    let mut mistakes = Vec::new();
    for source in rust_sources() {
        if source.is_in_src() && !source.text.starts_with("//!") {
            mistakes.push(format!(
                "{}:1: no module doc: open with //! and one sentence",
                source.path
            ));
        }
    }
    assert_none(&mistakes);
}
