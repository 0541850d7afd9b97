//! Finds the modules that the code of a module names.
//!
//! The parser knows `use` trees and paths that begin with `crate`, `self` or `super`. It does not know inline modules
//! (`super` in them is resolved from the file's module), paths that macros build, or names that come through a
//! re-export: such a name counts as an import of the module that re-exports it.

use std::collections::BTreeSet;

use crate::style::comments::{SourceLine, is_word_character};

/// A module's path from the root of its crate: `["engine", "outbox"]`.
pub(crate) type ModulePath = Vec<String>;

/// A path in the code of a module.
pub(crate) struct NamedPath {
    /// The line of the path, or of the beginning of its `use`.
    pub(crate) line: usize,
    pub(crate) path: String,
}

/// The paths that the code names, except in `mod tests` at the end of the file and in re-exports. `pub use` in the
/// `mod.rs` of a folder only lists what the folder offers.
pub(crate) fn named_paths(lines: &[SourceLine]) -> Vec<NamedPath> {
    let code: Vec<_> = lines.iter().map(|line| line.code.as_str()).collect();
    let code = without_tests(&code).join("\n");
    let mut paths = Vec::new();
    let mut line = 1;
    let mut rest = code.as_str();
    while let Some((before, tree, after)) = next_use(rest) {
        add_inline_paths(before, line, &mut paths);
        line += line_breaks(before);
        if !is_reexport(before) {
            paths.extend(
                expand(tree)
                    .into_iter()
                    .map(|path| NamedPath { line, path }),
            );
        }
        line += line_breaks(tree);
        rest = after;
    }
    add_inline_paths(rest, line, &mut paths);
    paths
}

fn without_tests<'a>(code: &'a [&'a str]) -> &'a [&'a str] {
    let is_tests =
        |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].trim() == "mod tests {";
    let end = code.windows(2).position(is_tests).unwrap_or(code.len());
    &code[..end]
}

/// The code before the next `use`, its tree, and the code after its semicolon.
fn next_use(code: &str) -> Option<(&str, &str, &str)> {
    let is_keyword = |at: &usize| !code[..*at].ends_with(is_word_character);
    let at = code
        .match_indices("use ")
        .map(|(at, _)| at)
        .find(is_keyword)?;
    let (tree, after) = code[at + "use ".len()..].split_once(';')?;
    Some((&code[..at], tree, after))
}

fn is_reexport(before: &str) -> bool {
    let statement = before.rsplit([';', '{', '}', ']']).next().unwrap_or(before);
    statement.trim_start().starts_with("pub")
}

/// The paths of a `use` tree: `a::{b, c::{d, e}}` has `a::b`, `a::c::d` and `a::c::e`.
fn expand(tree: &str) -> Vec<String> {
    let Some((prefix, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        return vec![path.trim().to_owned()];
    };
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let prefix = prefix.trim();
    split_list(group)
        .into_iter()
        .flat_map(|item| expand(&format!("{prefix}{item}")))
        .collect()
}

/// Splits at the commas that are outside of braces.
fn split_list(list: &str) -> Vec<&str> {
    let mut depth = 0;
    let items = list.split(|character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    });
    items
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect()
}

fn add_inline_paths(code: &str, first_line: usize, paths: &mut Vec<NamedPath>) {
    for (line, code) in (first_line..).zip(code.split('\n')) {
        let is_part = |character: char| is_word_character(character) || character == ':';
        let words = code.split(|character: char| !is_part(character));
        let named = words.filter(|word| {
            ["crate::", "self::", "super::"]
                .iter()
                .any(|root| word.starts_with(root))
        });
        paths.extend(named.map(|word| NamedPath {
            line,
            path: word.to_owned(),
        }));
    }
}

fn line_breaks(text: &str) -> usize {
    text.matches('\n').count()
}

/// The longest module path at the start of `path`, seen from `module`. `None` for a path of another crate.
pub(crate) fn resolve(
    path: &str,
    module: &[String],
    modules: &BTreeSet<ModulePath>,
) -> Option<ModulePath> {
    let mut segments = path.split("::").map(str::trim).peekable();
    let mut target = match *segments.peek()? {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    while let Some(root) = segments.next_if(|segment| ["crate", "self", "super"].contains(segment))
    {
        if root == "super" {
            target.pop();
        }
    }
    for segment in segments {
        target.push(segment.to_owned());
        if !modules.contains(&target) {
            target.pop();
            break;
        }
    }
    Some(target)
}
