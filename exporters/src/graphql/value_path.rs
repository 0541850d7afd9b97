//! `IpPermissions[0].FromPort`: the way to a value inside of a configuration.

use serde_json::{Map as JsonMap, Value as Json};

/// One step after the other, from the outside.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValuePath(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    /// From 0.
    Item(usize),
}

impl ValuePath {
    /// Keys parted by dots, each with indexes in brackets; a key that has dots or brackets stands in
    /// brackets and quotes. Of no text it is the whole.
    ///
    /// # Errors
    /// When it is no such path, with the place.
    pub(super) fn parse(text: &str) -> Result<ValuePath, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let wrong = |expected: &str, rest: &str| {
                let place = text[..text.len() - rest.len()].chars().count() + 1;
                format!(
                    "{text:?} is no path of a configuration: expected {expected} at character {place}, as in \
                     IpPermissions[0].FromPort or labels['a.b']"
                )
            };
            if let Some(inner) = rest.strip_prefix('[') {
                let step = in_brackets(inner);
                let (step, after) =
                    step.ok_or_else(|| wrong("an index or a quoted key, and ]", inner))?;
                steps.push(step);
                rest = after;
                continue;
            }
            let key = match rest.strip_prefix('.') {
                Some(key) if !steps.is_empty() => key,
                None if steps.is_empty() => rest,
                Some(_) => return Err(wrong("a key", rest)),
                None => return Err(wrong(". or [", rest)),
            };
            let end = key.find(['.', '[', ']']).unwrap_or(key.len());
            if end == 0 {
                return Err(wrong("a key", key));
            }
            steps.push(Step::Key(key[..end].to_owned()));
            rest = &key[end..];
        }
        Ok(ValuePath(steps))
    }

    /// None where something on the way is not there.
    pub(super) fn find(&self, whole: &JsonMap<String, Json>) -> Option<Json> {
        let (first, rest) = match &self.0[..] {
            [] => return Some(Json::Object(whole.clone())),
            [Step::Key(key), rest @ ..] => (whole.get(key)?, rest),
            [Step::Item(_), ..] => return None,
        };
        let mut found = first;
        for step in rest {
            found = match step {
                Step::Key(key) => found.get(key)?,
                Step::Item(index) => found.get(index)?,
            };
        }
        Some(found.clone())
    }
}

/// The step that stands before the closing bracket, and what is after that.
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
    fn what_is_no_path_is_told_with_its_place() {
        for (path, told) in [
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
            assert!(error.contains(told), "{path}: {error}");
        }
    }
}
