//! Loads files, `--set` and environment variables into one tree.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::merge::merge;
use super::node::{Entry, Node, Value};
use super::parse;
use super::place::{Place, Problem, Source};

/// A configuration is written by people; a larger file is not a configuration.
const MAX_FILE: u64 = 4 << 20;

/// Looks up an environment variable.
pub type Environment<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// The environment for all files of one configuration, and the problems found so far.
pub struct Loading<'a> {
    /// Where `${env:X}` is looked up.
    pub environment: Environment<'a>,
    pub problems: Vec<Problem>,
}

impl Default for Loading<'_> {
    /// With the process's environment.
    fn default() -> Self {
        Loading {
            environment: Box::new(|name| std::env::var(name).ok()),
            problems: Vec::new(),
        }
    }
}

/// One configuration, merged from all its files.
#[derive(Debug)]
pub struct Loaded {
    pub root: Node,
    /// Problems of loading: unset variables, duplicate keys, syntax. The rest of the tree can still be
    /// checked, so that all problems are reported at once.
    pub problems: Vec<Problem>,
    /// A file or setting is missing in the tree, because it cannot be read.
    pub is_partial: bool,
}

/// Reads files in order, each over the ones before (maps merge, all else replaces), then the
/// settings `a.b=value`, whose values are YAML.
pub fn load(files: &[PathBuf], settings: &[String], mut loading: Loading<'_>) -> Loaded {
    let mut root: Option<Node> = None;
    let mut is_partial = false;
    for file in files {
        let name = file.display().to_string();
        let parsed = read(file)
            .map_err(|error| unreadable(&name, &error))
            .and_then(|text| parse::parse(&name, &text, &mut loading));
        is_partial |= parsed.is_err();
        add(&mut root, parsed, &mut loading);
    }
    for setting in settings {
        let parsed = parse_setting(setting, &mut loading);
        is_partial |= parsed.is_err();
        add(&mut root, parsed, &mut loading);
    }
    Loaded {
        root: root.unwrap_or_else(Node::empty),
        problems: loading.problems,
        is_partial,
    }
}

fn add(root: &mut Option<Node>, parsed: Result<Node, Problem>, loading: &mut Loading<'_>) {
    match (root.take(), parsed) {
        (Some(below), Ok(above)) => *root = Some(merge(below, above)),
        (None, Ok(node)) => *root = Some(node),
        (kept, Err(problem)) => {
            *root = kept;
            loading.problems.push(problem);
        }
    }
}

fn read(file: &PathBuf) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(std::io::Error::other("larger than 4 MiB"));
    }
    Ok(text)
}

fn unreadable(name: &str, error: &std::io::Error) -> Problem {
    let place = Place {
        source: Arc::new(Source {
            name: name.to_owned(),
            text: String::new(),
        }),
        line: 0,
        column: 0,
    };
    Problem::new(&place, format!("cannot read the file: {error}"))
}

/// Makes the nested map of `a.b=value`.
fn parse_setting(setting: &str, loading: &mut Loading<'_>) -> Result<Node, Problem> {
    let source = Arc::new(Source {
        name: "--set".to_owned(),
        text: setting.to_owned(),
    });
    let place = Place {
        source: source.clone(),
        line: 1,
        column: 1,
    };
    let Some((path, value)) = setting.split_once('=') else {
        return Err(Problem::new(&place, "expected a.b=value"));
    };
    if path.split('.').any(|key| key.trim().is_empty()) {
        return Err(Problem::new(&place, "a key of a.b=value is empty"));
    }
    let value = if value.trim().is_empty() {
        "\"\""
    } else {
        value
    };
    let shift = path.chars().count() + 1;
    let mut node = parse::parse_at(&source, value, shift, loading)?;
    let mut rest = path;
    while !rest.is_empty() {
        let (before, key) = rest.rsplit_once('.').unwrap_or(("", rest));
        let place = Place {
            column: rest.chars().count() - key.chars().count() + 1,
            ..place.clone()
        };
        let entry = Entry {
            key: key.trim().into(),
            place: place.clone(),
            value: node,
        };
        node = Node {
            place,
            value: Value::Map(vec![entry]),
        };
        rest = before;
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::{Loading, load};

    fn loading() -> Loading<'static> {
        Loading {
            environment: Box::new(|name| (name == "PORT").then(|| "4317".to_owned())),
            ..Loading::default()
        }
    }

    fn temporary(name: &str, text: &str) -> std::path::PathBuf {
        let file = std::env::temp_dir().join(format!("airdig-{}-{name}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn later_files_and_settings_win_and_keep_their_place() {
        let first = temporary("first.yaml", "a: {b: 1, c: [1, 2]}\nd: ${env:PORT}\n");
        let second = temporary("second.yaml", "a:\n  c: [3]\n");
        let settings = ["a.e.f=[x, 7]".to_owned()];
        let loaded = load(&[first.clone(), second.clone()], &settings, loading());
        assert_eq!(loaded.problems, []);
        assert!(!loaded.is_partial);
        let json: serde_json::Value = loaded.root.decode().unwrap();
        assert_eq!(
            json,
            serde_json::json!({"a": {"b": 1, "c": [3], "e": {"f": ["x", 7]}}, "d": 4317})
        );
        let set = &loaded.root.get("a").unwrap().get("e").unwrap().entries()[0];
        assert_eq!(set.place.to_string(), "--set:1:5");
        let place = loaded.root.get("a").unwrap().get("c").unwrap().place();
        assert_eq!(place.to_string(), format!("{}:2:6", second.display()));
        std::fs::remove_file(first).unwrap();
        std::fs::remove_file(second).unwrap();
    }

    #[test]
    fn all_problems_are_reported_with_their_places() {
        let file = temporary("wrong.yaml", "a: ${env:NONE}\nb: ${env:NO}\na: 1\n");
        let files = [file.clone(), "/no/such/file.yaml".into()];
        let settings = ["x".to_owned(), "a.b={".to_owned()];
        let loaded = load(&files, &settings, loading());
        let messages: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(messages.len(), 6, "{messages:#?}");
        assert!(messages[0].contains(":1:4: environment variable \"NONE\" is not set"));
        assert!(messages[3].starts_with("/no/such/file.yaml: cannot read the file"));
        assert!(messages[5].starts_with("--set:1:"), "{}", messages[5]);
        std::fs::remove_file(file).unwrap();
    }
}
