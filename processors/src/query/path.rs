//! The path to a value inside of attributes: `attributes['k'][0]['n']`.

use datafusion::common::{Result, ScalarValue, plan_err};
use pipeline::attributes::{Form, Map, value_at_index, value_bytes_of};

/// One pair of brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    Key(String),
    /// From 0, as in JSON.
    Item(usize),
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
            Some(index) => Ok(PathStep::Item(index)),
            None => plan_err!("a key of attributes must be a text literal or an index from 0"),
        }
    }
}

/// The encoded `AnyValue` at the end of a path; `None` if a step is absent or of another type.
pub(super) fn walk<'a>(form: Form, bytes: &'a [u8], path: &[PathStep]) -> Option<&'a [u8]> {
    let (mut found, rest) = match (form, path) {
        (Form::Value, path) => (bytes, path),
        (Form::Map, [PathStep::Key(key), rest @ ..]) => (Map::new(bytes).encoded(key)?, rest),
        (Form::Map, _) => return None,
    };
    for step in rest {
        found = match step {
            PathStep::Key(key) => value_bytes_of(found, key)?,
            PathStep::Item(index) => value_at_index(found, *index)?,
        };
    }
    Some(found)
}
