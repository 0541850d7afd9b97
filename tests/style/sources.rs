//! Lists and reads the files of the repository that people write.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crate::style::comments::{SourceLine, split_lines};

/// How a file marks its comments.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Syntax {
    Rust,
    /// All of the file is prose.
    Markdown,
    /// `--` to the end of the line.
    Sql,
    /// `#` to the end of the line: YAML, TOML, shell, Python, GraphQL, Makefile.
    Hash,
}

/// A file of the repository.
pub(crate) struct SourceFile {
    /// The path from the root of the repository.
    pub(crate) path: String,
    pub(crate) syntax: Syntax,
    pub(crate) text: String,
    pub(crate) lines: Vec<SourceLine>,
}

impl SourceFile {
    pub(crate) fn new(path: String, syntax: Syntax, text: String) -> SourceFile {
        let lines = split_lines(syntax, &text);
        SourceFile {
            path,
            syntax,
            text,
            lines,
        }
    }

    /// Whether the file belongs to the `src` folder of a crate.
    pub(crate) fn is_in_src(&self) -> bool {
        self.path.starts_with("src/") || self.path.contains("/src/")
    }
}

/// All files with a known syntax, sorted by path. They are read once for all tests.
///
/// Walks the folders instead of calling `git ls-files`, so that the tests also run in an unpacked archive.
pub(crate) fn sources() -> &'static [SourceFile] {
    static SOURCES: OnceLock<Vec<SourceFile>> = OnceLock::new();
    SOURCES.get_or_init(read_sources)
}

/// The Rust files.
pub(crate) fn rust_sources() -> impl Iterator<Item = &'static SourceFile> {
    sources()
        .iter()
        .filter(|source| source.syntax == Syntax::Rust)
}

fn read_sources() -> Vec<SourceFile> {
    let mut sources = Vec::new();
    add_folder(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        sources.iter().any(|source| source.path == "src/main.rs"),
        "the walk misses src/main.rs"
    );
    sources
}

fn add_folder(folder: &Path, prefix: &str, sources: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry
            .file_name()
            .into_string()
            .expect("file names are UTF-8");
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !is_skipped(&entry.path(), &name) {
            add_folder(&entry.path(), &format!("{path}/"), sources);
        }
        if let (true, Some(syntax)) = (kind.is_file(), syntax_of(&path)) {
            let text =
                fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
            sources.push(SourceFile::new(path, syntax, text));
        }
    }
}

/// Cargo marks each of its target folders with `CACHEDIR.TAG`. Migrations must not change, not even their comments, since
/// SQLx stores their checksums in every file.
fn is_skipped(folder: &Path, name: &str) -> bool {
    let is_hidden = name.starts_with('.') && name != ".ci" && name != ".cargo";
    is_hidden || name == "target" || name == "migrations" || folder.join("CACHEDIR.TAG").exists()
}

fn syntax_of(path: &str) -> Option<Syntax> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("rs") => Some(Syntax::Rust),
        Some("md") => Some(Syntax::Markdown),
        Some("sql") => Some(Syntax::Sql),
        Some("yaml" | "toml" | "sh" | "py" | "graphql") => Some(Syntax::Hash),
        None if name == "Makefile" || path.starts_with(".ci/") => Some(Syntax::Hash),
        _ => None,
    }
}
