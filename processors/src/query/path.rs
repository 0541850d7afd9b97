//! `attributes['k'][0]['n']`: the way to a value inside of attributes.

use datafusion::common::{Result, ScalarValue, plan_err};
use pipeline::attributes::{Form, Map, value_at_index, value_bytes_of};

/// One pair of brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// From 0, as in JSON.
    Item(usize),
}

impl Step {
    /// Of a literal in brackets.
    pub(super) fn of(literal: &ScalarValue) -> Result<Step> {
        if let Some(Some(key)) = literal.try_as_str() {
            return Ok(Step::Key(key.to_owned()));
        }
        let index = match literal {
            ScalarValue::Int64(Some(index)) => usize::try_from(*index).ok(),
            ScalarValue::UInt64(Some(index)) => usize::try_from(*index).ok(),
            _ => None,
        };
        match index {
            Some(index) => Ok(Step::Item(index)),
            None => plan_err!("a key of attributes is a text, an index a whole number from 0"),
        }
    }
}

/// The encoded `AnyValue` at the end of a path; none where something on the way is absent or of
/// another type.
pub(super) fn walk<'a>(form: Form, bytes: &'a [u8], path: &[Step]) -> Option<&'a [u8]> {
    let (mut found, rest) = match (form, path) {
        (Form::Value, path) => (bytes, path),
        (Form::Map, [Step::Key(key), rest @ ..]) => (Map::new(bytes).encoded(key)?, rest),
        (Form::Map, _) => return None,
    };
    for step in rest {
        found = match step {
            Step::Key(key) => value_bytes_of(found, key)?,
            Step::Item(index) => value_at_index(found, *index)?,
        };
    }
    Some(found)
}
