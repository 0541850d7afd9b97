//! The path to a value inside of attributes: `attributes['k'][0]['n']`.

use datafusion::common::{Result, ScalarValue, plan_err};
use pipeline::attributes::{AttributesForm, Map, value_at_index, value_bytes_of};

/// The key or index in one pair of brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    Key(String),
    /// An index into an array, from 0 as in JSON.
    Index(usize),
}

impl PathStep {
    /// The step of a literal in brackets.
    pub(super) fn of(literal: &ScalarValue) -> Result<PathStep> {
        if let Some(Some(key)) = literal.try_as_str() {
            return Ok(PathStep::Key(key.to_owned()));
        }
        let index = match literal {
            ScalarValue::Int64(Some(index)) => usize::try_from(*index).ok(),
            ScalarValue::UInt64(Some(index)) => usize::try_from(*index).ok(),
            _ => None,
        };
        match index {
            Some(index) => Ok(PathStep::Index(index)),
            None => plan_err!("a key of attributes must be a text literal or an index from 0"),
        }
    }
}

/// Returns the encoded `AnyValue` at the end of a path; `None` if a step is absent or of another type.
pub(super) fn walk<'a>(
    form: AttributesForm,
    bytes: &'a [u8],
    path: &[PathStep],
) -> Option<&'a [u8]> {
    let (mut found, rest) = match (form, path) {
        (AttributesForm::Value, path) => (bytes, path),
        (AttributesForm::Map, [PathStep::Key(key), rest @ ..]) => {
            (Map::new(bytes).encoded(key)?, rest)
        }
        (AttributesForm::Map, _) => return None,
    };
    for step in rest {
        found = match step {
            PathStep::Key(key) => value_bytes_of(found, key)?,
            PathStep::Index(index) => value_at_index(found, *index)?,
        };
    }
    Some(found)
}
