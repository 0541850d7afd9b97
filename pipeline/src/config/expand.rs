//! Expands `${env:X}` in scalars.

/// The expanded text of a scalar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// The text contains a reference to the environment.
    pub(crate) from_environment: bool,
    /// The whole scalar is one reference: the value is typed as if it had been written there.
    pub(crate) whole: bool,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpandError {
    #[error("environment variable {0:?} is not set; give a default with ${{env:{0}:-value}}")]
    Unset(String),
    #[error("\"${{\" without a \"}}\"; write \"$$\" for a dollar sign")]
    Open,
    #[error("{0:?} is not a valid name of an environment variable; write \"$$\" for a dollar sign")]
    Name(String),
    #[error("cannot expand scheme {0:?}: only ${{env:NAME}} is supported")]
    Scheme(String),
}

/// Replaces `${env:X}`, `${X}`, `${env:X:-default}` and `$$`; inserted values are not expanded again.
pub(crate) fn expand(
    written: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Expanded, ExpandError> {
    let mut text = String::with_capacity(written.len());
    let mut from_environment = false;
    let mut whole = false;
    let mut rest = written;
    while let Some(dollar) = rest.find('$') {
        text.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (reference, after) = after.split_once('}').ok_or(ExpandError::Open)?;
            text.push_str(&value(reference, environment)?);
            from_environment = true;
            whole = reference.len() + "${}".len() == written.len();
            rest = after;
        } else {
            text.push('$');
        }
    }
    text.push_str(rest);
    Ok(Expanded {
        text,
        from_environment,
        whole,
    })
}

fn value(
    reference: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ExpandError> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let name = match name.split_once(':') {
        Some(("env", name)) => name,
        Some((scheme, _)) => return Err(ExpandError::Scheme(scheme.to_owned())),
        None => name,
    };
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        return Err(ExpandError::Name(name.to_owned()));
    }
    environment(name)
        .or_else(|| default.map(str::to_owned))
        .ok_or_else(|| ExpandError::Unset(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{ExpandError, expand};

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("db".to_owned()),
            "ODD" => Some("${env:HOST}".to_owned()),
            _ => None,
        }
    }

    fn text(written: &str) -> Result<String, ExpandError> {
        expand(written, &environment).map(|expanded| expanded.text)
    }

    #[test]
    fn references_are_replaced() {
        assert_eq!(text("${env:HOST}:1").unwrap(), "db:1");
        assert_eq!(text("${HOST}").unwrap(), "db");
        assert_eq!(text("${env:NONE:-a:-b}").unwrap(), "a:-b");
        assert_eq!(text("${env:NONE:-}").unwrap(), "");
        assert_eq!(text("$${env:HOST} $5 $").unwrap(), "${env:HOST} $5 $");
    }

    #[test]
    fn inserted_values_are_not_expanded_again() {
        assert_eq!(text("${ODD}").unwrap(), "${env:HOST}");
    }

    #[test]
    fn invalid_reference_is_an_error() {
        assert_eq!(text("${env:NONE}"), Err(ExpandError::Unset("NONE".into())));
        assert_eq!(text("${HOST"), Err(ExpandError::Open));
        assert_eq!(text("${1}"), Err(ExpandError::Name("1".into())));
        assert_eq!(text("${file:x}"), Err(ExpandError::Scheme("file".into())));
    }

    #[test]
    fn only_a_lone_reference_is_whole() {
        assert!(expand("${HOST}", &environment).unwrap().whole);
        assert!(!expand("${HOST}${HOST}", &environment).unwrap().whole);
        assert!(!expand("x${HOST}", &environment).unwrap().whole);
    }
}
