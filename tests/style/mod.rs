//! Checks of the project's own sources, which neither the compiler nor Clippy makes.
//!
//! ```text
//!  sources: the files of the repository
//!     ├─▶ comments ──▶ language: no banned word
//!     ├─▶ paths ─────▶ imports: no circle between the modules of a folder
//!     └──────────────▶ layout: names, lengths and first lines of files
//! ```

mod comments;
mod imports;
mod language;
mod layout;
mod paths;
mod sources;

/// Fails with one line for each mistake.
#[track_caller]
fn assert_none(mistakes: &[String]) {
    assert!(
        mistakes.is_empty(),
        "{} mistakes\n{}",
        mistakes.len(),
        mistakes.join("\n")
    );
}
