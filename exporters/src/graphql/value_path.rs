//! Paths to a value in a resource's configuration, such as `IpPermissions[0].FromPort`.

use serde_json::{Map as JsonMap, Value as Json};

/// The steps, from the outermost value inwards.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValuePath(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    /// An index, from 0.
    Item(usize),
}

impl ValuePath {
    /// Parses keys that are separated by dots, each followed by indexes in brackets. A key with dots or brackets is
    /// written in brackets and quotes. The empty path is the whole configuration.
    ///
    /// # Errors
    /// If the path is invalid; the message names the position.
    pub(super) fn parse(text: &str) -> Result<ValuePath, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let error = |expected: &str, rest: &str| {
                let position = text[..text.len() - rest.len()].chars().count() + 1;
                format!(
                    "invalid configuration path {text:?}: expected {expected} at character {position}, as in \
                     IpPermissions[0].FromPort or labels['a.b']"
                )
            };
            if let Some(inner) = rest.strip_prefix('[') {
                let step = in_brackets(inner);
                let (step, after) =
                    step.ok_or_else(|| error("an index or a quoted key, and ]", inner))?;
                steps.push(step);
                rest = after;
                continue;
            }
            let key = match rest.strip_prefix('.') {
                Some(key) if !steps.is_empty() => key,
                None if steps.is_empty() => rest,
                Some(_) => return Err(error("a key", rest)),
                None => return Err(error(". or [", rest)),
            };
            let end = key.find(['.', '[', ']']).unwrap_or(key.len());
            if end == 0 {
                return Err(error("a key", key));
            }
            steps.push(Step::Key(key[..end].to_owned()));
            rest = &key[end..];
        }
        Ok(ValuePath(steps))
    }

    /// Returns the value at this path; `None` if a step of the path does not exist.
    pub(super) fn find(&self, whole: &JsonMap<String, Json>) -> Option<Json> {
        let (first, rest) = match &self.0[..] {
            [] => return Some(Json::Object(whole.clone())),
            [Step::Key(key), rest @ ..] => (whole.get(key)?, rest),
            [Step::Item(_), ..] => return None,
        };
        let mut value = first;
        for step in rest {
            value = match step {
                Step::Key(key) => value.get(key)?,
                Step::Item(index) => value.get(index)?,
            };
        }
        Some(value.clone())
    }
}

/// Parses the step up to the closing bracket, and returns the text after the bracket.
fn in_brackets(inner: &str) -> Option<(Step, &str)> {
    for quote in ['\'', '"'] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (key, after) = quoted.split_once(quote)?;
            return Some((Step::Key(key.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = inner.split_once(']')?;
    Some((Step::Item(index.trim().parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::ValuePath;

    fn find(path: &str) -> Option<Json> {
        let whole = json!({
            "IpPermissions": [{"FromPort": 22, "IpRanges": []}, {"FromPort": 443}],
            "labels": {"app.kubernetes.io/name": "cart"},
        });
        let path = ValuePath::parse(path).unwrap();
        path.find(whole.as_object().unwrap())
    }

    #[test]
    fn a_value_is_found_by_keys_and_indexes() {
        assert_eq!(find("IpPermissions[1].FromPort"), Some(json!(443)));
        assert_eq!(find("IpPermissions[0].IpRanges"), Some(json!([])));
        assert_eq!(
            find("labels['app.kubernetes.io/name']"),
            Some(json!("cart"))
        );
        assert_eq!(find(r#"["labels"]["nothing"]"#), None);
        assert_eq!(find("IpPermissions[2]"), None);
        assert_eq!(find("IpPermissions.FromPort"), None);
        assert_eq!(find("[0]"), None);
        assert_eq!(
            find("").and_then(|all| all.get("labels").cloned()),
            find("labels")
        );
    }

    #[test]
    fn an_error_names_the_position_in_an_invalid_path() {
        for (path, expected) in [
            ("a..b", "expected a key at character 3"),
            (".a", "expected a key at character 1"),
            (
                "a[x]",
                "expected an index or a quoted key, and ] at character 3",
            ),
            (
                "a[0",
                "expected an index or a quoted key, and ] at character 3",
            ),
            (
                "a['b]",
                "expected an index or a quoted key, and ] at character 3",
            ),
            ("a]", "expected . or [ at character 2"),
            ("ä[0]b", "expected . or [ at character 5"),
        ] {
            let error = ValuePath::parse(path).unwrap_err();
            assert!(error.contains(expected), "{path}: {error}");
        }
    }
}
