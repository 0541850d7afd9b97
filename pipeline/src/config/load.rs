//! Loads files, `--set` and environment variables into one tree.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::expand::LoadContext;
use super::merge::merge;
use super::node::{MapEntry, Value, YamlNode};
use super::parse;
use super::position::{Problem, Source, SourcePosition};

/// The size limit of a file, in bytes. People write configurations, so a larger file is not a configuration.
const MAX_FILE: u64 = 4 << 20;

/// One configuration, merged from all its files.
#[derive(Debug)]
pub struct LoadedConfig {
    pub root: YamlNode,
    /// Problems of loading: unset variables, duplicate keys, syntax. The rest of the tree can still be checked, so that
    /// one run reports all problems.
    pub problems: Vec<Problem>,
    /// Whether a file or setting is missing in the tree, because it could not be read.
    pub is_partial: bool,
}

/// Reads the files in order and merges each file over the earlier ones. Then merges the settings `a.b=value`, whose
/// values are YAML. Maps are merged key by key; any other value replaces the earlier value.
pub fn load(files: &[PathBuf], settings: &[String], mut context: LoadContext<'_>) -> LoadedConfig {
    let mut root: Option<YamlNode> = None;
    let mut is_partial = false;
    for file in files {
        let name = file.display().to_string();
        let parsed = read(file)
            .map_err(|error| unreadable(&name, &error))
            .and_then(|text| parse::parse(&name, &text, &mut context));
        is_partial |= parsed.is_err();
        add(&mut root, parsed, &mut context);
    }
    for setting in settings {
        let parsed = parse_setting(setting, &mut context);
        is_partial |= parsed.is_err();
        add(&mut root, parsed, &mut context);
    }
    LoadedConfig {
        root: root.unwrap_or_else(YamlNode::empty),
        problems: context.problems,
        is_partial,
    }
}

fn add(
    root: &mut Option<YamlNode>,
    parsed: Result<YamlNode, Problem>,
    context: &mut LoadContext<'_>,
) {
    match (root.take(), parsed) {
        (Some(earlier), Ok(later)) => *root = Some(merge(earlier, later)),
        (None, Ok(node)) => *root = Some(node),
        (kept, Err(problem)) => {
            *root = kept;
            context.problems.push(problem);
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
    let position = SourcePosition {
        source: Arc::new(Source {
            name: name.to_owned(),
            text: String::new(),
        }),
        line: 0,
        column: 0,
    };
    Problem::new(&position, format!("cannot read the file: {error}"))
}

/// Converts `a.b=value` to a nested map.
fn parse_setting(setting: &str, context: &mut LoadContext<'_>) -> Result<YamlNode, Problem> {
    let source = Arc::new(Source {
        name: "--set".to_owned(),
        text: setting.to_owned(),
    });
    let position = SourcePosition {
        source: source.clone(),
        line: 1,
        column: 1,
    };
    let Some((path, value)) = setting.split_once('=') else {
        return Err(Problem::new(&position, "expected a.b=value"));
    };
    if path.split('.').any(|key| key.trim().is_empty()) {
        return Err(Problem::new(&position, "a key of a.b=value is empty"));
    }
    let value = if value.trim().is_empty() {
        "\"\""
    } else {
        value
    };
    let shift = path.chars().count() + 1;
    let mut node = parse::parse_at(&source, value, shift, context)?;
    let mut rest = path;
    while !rest.is_empty() {
        let (before, key) = rest.rsplit_once('.').unwrap_or(("", rest));
        let position = SourcePosition {
            column: rest.chars().count() - key.chars().count() + 1,
            ..position.clone()
        };
        let entry = MapEntry {
            key: key.trim().into(),
            position: position.clone(),
            value: node,
        };
        node = YamlNode {
            position,
            value: Value::Map(vec![entry]),
        };
        rest = before;
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::{LoadContext, load};

    fn context() -> LoadContext<'static> {
        LoadContext {
            environment: Box::new(|name| (name == "PORT").then(|| "4317".to_owned())),
            ..LoadContext::default()
        }
    }

    fn temporary(name: &str, text: &str) -> std::path::PathBuf {
        let file = std::env::temp_dir().join(format!("airdig-{}-{name}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn values_of_later_files_and_settings_replace_earlier_values_and_keep_their_positions() {
        let first = temporary("first.yaml", "a: {b: 1, c: [1, 2]}\nd: ${env:PORT}\n");
        let second = temporary("second.yaml", "a:\n  c: [3]\n");
        let settings = ["a.e.f=[x, 7]".to_owned()];
        let loaded = load(&[first.clone(), second.clone()], &settings, context());
        assert_eq!(loaded.problems, []);
        assert!(!loaded.is_partial);
        let json: serde_json::Value = loaded.root.decode().unwrap();
        assert_eq!(
            json,
            serde_json::json!({"a": {"b": 1, "c": [3], "e": {"f": ["x", 7]}}, "d": 4317})
        );
        let set = &loaded.root.get("a").unwrap().get("e").unwrap().entries()[0];
        assert_eq!(set.position.to_string(), "--set:1:5");
        let position = loaded.root.get("a").unwrap().get("c").unwrap().position();
        assert_eq!(position.to_string(), format!("{}:2:6", second.display()));
        std::fs::remove_file(first).unwrap();
        std::fs::remove_file(second).unwrap();
    }

    #[test]
    fn all_problems_are_reported_with_their_positions() {
        let file = temporary("wrong.yaml", "a: ${env:NONE}\nb: ${env:NO}\na: 1\n");
        let files = [file.clone(), "/no/such/file.yaml".into()];
        let settings = ["x".to_owned(), "a.b={".to_owned()];
        let loaded = load(&files, &settings, context());
        let messages: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(messages.len(), 6, "{messages:#?}");
        assert!(messages[0].contains(":1:4: environment variable \"NONE\" is not set"));
        assert!(messages[3].starts_with("/no/such/file.yaml: cannot read the file"));
        assert!(messages[5].starts_with("--set:1:"), "{}", messages[5]);
        std::fs::remove_file(file).unwrap();
    }
}
