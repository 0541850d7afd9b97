//! Expands `${env:X}` in scalars.

use super::position::Problem;

/// Looks up an environment variable by its name.
pub type Environment<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// The environment of all files of one configuration, and the problems found so far.
pub struct LoadContext<'a> {
    /// Expands `${env:X}`.
    pub environment: Environment<'a>,
    pub problems: Vec<Problem>,
}

impl Default for LoadContext<'_> {
    /// The environment of the process, and no problem.
    fn default() -> Self {
        LoadContext {
            environment: Box::new(|name| std::env::var(name).ok()),
            problems: Vec::new(),
        }
    }
}

/// A scalar after expansion.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExpandedScalar {
    pub(crate) text: String,
    /// Whether a reference to an environment variable was expanded in the text.
    pub(crate) from_environment: bool,
    /// Whether the whole scalar is one reference. The value then has the type that the expanded text would have if it
    /// were written in the file.
    pub(crate) is_one_reference: bool,
}

/// A scalar cannot be expanded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpandError {
    #[error(
        "environment variable {0:?} is not set; set it, or give a default with ${{env:{0}:-value}}"
    )]
    Unset(String),
    #[error("\"${{\" without a \"}}\"; write \"$$\" for a dollar sign")]
    Unclosed,
    #[error("{0:?} is not a valid name of an environment variable; write \"$$\" for a dollar sign")]
    InvalidName(String),
    #[error("cannot expand scheme {0:?}; only ${{env:NAME}} is supported")]
    UnsupportedScheme(String),
}

/// Replaces `${env:X}`, `${X}` and `${env:X:-default}` by values, and `$$` by `$`. Inserted values are not
/// expanded again.
pub(crate) fn expand(
    written: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<ExpandedScalar, ExpandError> {
    let mut text = String::with_capacity(written.len());
    let mut from_environment = false;
    let mut is_one_reference = false;
    let mut rest = written;
    while let Some(dollar) = rest.find('$') {
        text.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (reference, after) = after.split_once('}').ok_or(ExpandError::Unclosed)?;
            text.push_str(&lookup(reference, environment)?);
            from_environment = true;
            is_one_reference = reference.len() + "${}".len() == written.len();
            rest = after;
        } else {
            text.push('$');
        }
    }
    text.push_str(rest);
    Ok(ExpandedScalar {
        text,
        from_environment,
        is_one_reference,
    })
}

fn lookup(
    reference: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ExpandError> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let name = match name.split_once(':') {
        Some(("env", name)) => name,
        Some((scheme, _)) => return Err(ExpandError::UnsupportedScheme(scheme.to_owned())),
        None => name,
    };
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        return Err(ExpandError::InvalidName(name.to_owned()));
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
        assert_eq!(text("${HOST"), Err(ExpandError::Unclosed));
        assert_eq!(text("${1}"), Err(ExpandError::InvalidName("1".into())));
        assert_eq!(
            text("${file:x}"),
            Err(ExpandError::UnsupportedScheme("file".into()))
        );
    }

    #[test]
    fn scalar_with_more_than_a_reference_is_not_one_reference() {
        assert!(expand("${HOST}", &environment).unwrap().is_one_reference);
        assert!(
            !expand("${HOST}${HOST}", &environment)
                .unwrap()
                .is_one_reference
        );
        assert!(!expand("x${HOST}", &environment).unwrap().is_one_reference);
    }
}
