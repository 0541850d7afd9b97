//! The error of decoding JSON: the reason and the path of the field.

use std::fmt::Write as _;

use crate::otlp::DecodeError;

pub(super) type Result<T> = std::result::Result<T, Box<JsonRejection>>;

/// The reason for which a request in JSON is rejected, and the position or path of the problem.
#[derive(Debug)]
pub(super) struct JsonRejection {
    reason: String,
    /// The position of text that is not JSON, in bytes.
    offset: Option<usize>,
    /// The path of the field, from the innermost step to the outermost.
    steps: Vec<PathStep>,
}

/// A step of a path.
#[derive(Debug)]
enum PathStep {
    Field(&'static str),
    Item(usize),
}

impl JsonRejection {
    /// The value is JSON, but not valid for its field.
    #[cold]
    pub(super) fn value(reason: impl Into<String>) -> Box<JsonRejection> {
        Box::new(JsonRejection {
            reason: reason.into(),
            offset: None,
            steps: Vec::new(),
        })
    }

    /// The text is not JSON.
    #[cold]
    pub(super) fn syntax(reason: impl Into<String>, offset: usize) -> Box<JsonRejection> {
        Box::new(JsonRejection {
            offset: Some(offset),
            ..*JsonRejection::value(reason)
        })
    }

    /// Adds the field that contains the value to the path.
    #[cold]
    pub(super) fn in_field(mut self: Box<Self>, name: &'static str) -> Box<JsonRejection> {
        self.steps.push(PathStep::Field(name));
        self
    }

    /// Adds the index of the list item that contains the value to the path.
    #[cold]
    pub(super) fn in_item(mut self: Box<Self>, index: usize) -> Box<JsonRejection> {
        self.steps.push(PathStep::Item(index));
        self
    }

    /// The path, such as `resourceSpans[0].resource`; empty for the request itself.
    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            let written = match step {
                PathStep::Field(name) if path.is_empty() => write!(path, "{name}"),
                PathStep::Field(name) => write!(path, ".{name}"),
                PathStep::Item(index) => write!(path, "[{index}]"),
            };
            written.expect("writing to a string cannot fail");
        }
        path
    }
}

impl From<Box<JsonRejection>> for DecodeError {
    fn from(rejection: Box<JsonRejection>) -> DecodeError {
        let path = rejection.path();
        DecodeError {
            reason: if path.is_empty() {
                rejection.reason
            } else {
                format!("{path}: {}", rejection.reason)
            },
            offset: rejection.offset,
        }
    }
}
