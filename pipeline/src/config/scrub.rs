//! Removes values of environment variables from error messages.

use super::node::{Value, YamlNode};

/// A message must not contain a run of this many letters or digits of a value either.
const MIN_LEAK: usize = 4;

/// Replaces the values of variables in a message about a node by the text in the file, `${env:X}`.
pub(crate) fn scrub(node: &YamlNode, message: String) -> String {
    let mut secrets = Vec::new();
    collect(node, &mut secrets);
    secrets.retain(|(value, _)| !value.is_empty());
    // The longest first, since one value may be a part of another.
    secrets.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    let mut scrubbed = message;
    for (value, written) in &secrets {
        if value.chars().count() >= MIN_LEAK {
            let escaped = value.escape_debug().to_string();
            scrubbed = scrubbed.replace(value, written).replace(&escaped, written);
        } else {
            for quote in ['"', '`', '\''] {
                let quoted = format!("{quote}{value}{quote}");
                scrubbed = scrubbed.replace(&quoted, &format!("{quote}{written}{quote}"));
            }
        }
    }
    let mut rest = scrubbed.clone();
    for (_, written) in &secrets {
        rest = rest.replace(written, "");
    }
    let leaks = secrets.iter().any(|(value, _)| {
        value
            .split(|c: char| !c.is_alphanumeric())
            .any(|run| run.chars().count() >= MIN_LEAK && rest.contains(run))
    });
    if leaks {
        return "not valid (the reason is not shown, since it contains the value of an environment variable)"
            .to_owned();
    }
    scrubbed
}

fn collect<'a>(node: &'a YamlNode, secrets: &mut Vec<(&'a str, &'a str)>) {
    match &node.value {
        Value::Scalar(scalar) => {
            if let Some(written) = &scalar.written {
                secrets.push((&scalar.text, written));
            }
        }
        Value::List(items) => {
            for item in items {
                collect(item, secrets);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                collect(&entry.value, secrets);
            }
        }
        Value::Invalid => {}
    }
}
