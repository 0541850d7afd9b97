//! The modules of one folder do not import each other in a circle. Tests and test helpers may.
//!
//! A module that names another one imports it into its own folder's level: if `a/x.rs` names `b::y`, then `a` imports
//! `b`. [`paths`](crate::style::paths) states which names are found.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::style::assert_none;
use crate::style::paths::{ModulePath, named_paths, resolve};
use crate::style::sources::{SourceFile, Syntax, sources};

/// For each module of a folder: the modules of the same folder that it imports, each with one place.
type Imports = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn modules_of_a_folder_do_not_import_each_other_in_a_circle() {
    let mut mistakes = Vec::new();
    for (root, files) in crates(sources()) {
        for (folder, imports) in folders(&files) {
            let folder = format!("{root}{}", folder.join("/"));
            mistakes.extend(
                circles(&imports)
                    .iter()
                    .map(|circle| describe(&folder, circle, &imports)),
            );
        }
    }
    assert_none(&mistakes);
}

/// The modules of each crate, without tests, by the path of the crate's `src/`.
fn crates(sources: &[SourceFile]) -> BTreeMap<&str, BTreeMap<ModulePath, &SourceFile>> {
    let mut crates = BTreeMap::<_, BTreeMap<_, _>>::new();
    for source in sources
        .iter()
        .filter(|source| source.syntax == Syntax::Rust)
    {
        let Some(root) = source_root(&source.path) else {
            continue;
        };
        let module = module_path(&source.path[root.len()..]);
        if !is_test(&module) {
            crates.entry(root).or_default().insert(module, source);
        }
    }
    crates
}

/// `pipeline/src/` of `pipeline/src/engine/mod.rs`; `None` outside of a `src` folder.
fn source_root(path: &str) -> Option<&str> {
    if path.starts_with("src/") {
        return Some("src/");
    }
    path.find("/src/").map(|at| &path[..at + "/src/".len()])
}

/// The module of a file: `engine/outbox/mod.rs` is `["engine", "outbox"]`.
fn module_path(file: &str) -> ModulePath {
    let mut path: ModulePath = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if path
        .last()
        .is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str()))
    {
        path.pop();
    }
    path
}

fn is_test(module: &[String]) -> bool {
    module
        .iter()
        .any(|name| name == "tests" || name == "testing" || name.starts_with("test_"))
}

/// The imports between the modules of each folder.
fn folders(files: &BTreeMap<ModulePath, &SourceFile>) -> BTreeMap<ModulePath, Imports> {
    let modules: BTreeSet<ModulePath> = files.keys().cloned().collect();
    let mut folders = BTreeMap::<ModulePath, Imports>::new();
    for (module, source) in files {
        for named in named_paths(&source.lines) {
            let Some(target) = resolve(&named.path, module, &modules) else {
                continue;
            };
            let depth = module
                .iter()
                .zip(&target)
                .take_while(|(a, b)| a == b)
                .count();
            let (Some(importer), Some(imported)) = (module.get(depth), target.get(depth)) else {
                continue;
            };
            let imports = folders.entry(module[..depth].to_vec()).or_default();
            let place = format!("{}:{}: {}", source.path, named.line, named.path);
            imports
                .entry(importer.clone())
                .or_default()
                .entry(imported.clone())
                .or_insert(place);
        }
    }
    folders
}

/// The shortest circle through each module, each circle once.
fn circles(imports: &Imports) -> Vec<Vec<&str>> {
    let mut circles = Vec::<Vec<&str>>::new();
    for module in imports.keys() {
        let circle = circle_through(module, imports).unwrap_or_default();
        let is_known = circles
            .iter()
            .any(|known| known.len() == circle.len() && known.contains(&module.as_str()));
        if !circle.is_empty() && !is_known {
            circles.push(circle);
        }
    }
    circles
}

/// The shortest circle that begins with this module, by a breadth-first search.
fn circle_through<'a>(start: &'a str, imports: &'a Imports) -> Option<Vec<&'a str>> {
    let mut reached = BTreeSet::new();
    let mut queue = VecDeque::from([vec![start]]);
    while let Some(chain) = queue.pop_front() {
        let last = chain.last()?;
        for next in imports.get(*last).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                return Some(chain);
            }
            if reached.insert(next) {
                let mut longer = chain.clone();
                longer.push(next);
                queue.push_back(longer);
            }
        }
    }
    None
}

/// The circle, one place for each import, and the cure.
fn describe(folder: &str, circle: &[&str], imports: &Imports) -> String {
    let next = circle.iter().cycle().skip(1);
    let places = circle
        .iter()
        .zip(next)
        .map(|(importer, imported)| format!("  {}", imports[*importer][*imported]));
    let places: Vec<_> = places.collect();
    format!(
        "{folder}: {} → {}: move what both need into a module below both\n{}",
        circle.join(" → "),
        circle[0],
        places.join("\n")
    )
}

#[test]
fn a_circle_is_found_with_the_lines_that_close_it() {
    let files = [
        ("src/main.rs", "mod a;\nmod b;"),
        ("src/a/mod.rs", "pub use crate::b::Ignored;\n\nmod x;"),
        (
            "src/a/x.rs",
            "use std::fmt;\n\nuse crate::{a::Own, b::{self, Other}};",
        ),
        (
            "src/b.rs",
            "// crate::b\n\nfn f() -> \n  crate::a::Own {}\n\n#[cfg(test)]\nmod tests {\n use crate::c;",
        ),
        ("src/c.rs", "use super::b;"),
    ];
    let sources =
        files.map(|(path, text)| SourceFile::new(path.to_owned(), Syntax::Rust, text.to_owned()));
    let folders = folders(&crates(&sources)["src/"]);
    let imports = &folders[&ModulePath::new()];
    assert_eq!(circles(imports), [["a", "b"]]);
    assert_eq!(
        describe("src/", &["a", "b"], imports),
        "src/: a → b → a: move what both need into a module below both\n  src/a/x.rs:3: crate::b::self\n  \
         src/b.rs:4: crate::a::Own"
    );
}
