//! Why a request in JSON is rejected, and where.

use std::fmt::Write as _;

use crate::otlp::DecodeError;

pub(super) type Result<T> = std::result::Result<T, Box<Rejection>>;

#[derive(Debug)]
pub(super) struct Rejection {
    what: String,
    /// Where the text is not JSON.
    offset: Option<usize>,
    /// From the inside to the outside.
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Field(&'static str),
    Item(usize),
}

impl Rejection {
    /// JSON that is no value of its field.
    #[cold]
    pub(super) fn value(what: impl Into<String>) -> Box<Rejection> {
        Box::new(Rejection {
            what: what.into(),
            offset: None,
            steps: Vec::new(),
        })
    }

    /// Text that is not JSON.
    #[cold]
    pub(super) fn syntax(what: impl Into<String>, offset: usize) -> Box<Rejection> {
        Box::new(Rejection {
            offset: Some(offset),
            ..*Rejection::value(what)
        })
    }

    #[cold]
    pub(super) fn in_field(mut self: Box<Self>, name: &'static str) -> Box<Rejection> {
        self.steps.push(Step::Field(name));
        self
    }

    #[cold]
    pub(super) fn in_item(mut self: Box<Self>, index: usize) -> Box<Rejection> {
        self.steps.push(Step::Item(index));
        self
    }

    /// `resourceSpans[0].resource`; empty for the request itself.
    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            let written = match step {
                Step::Field(name) if path.is_empty() => write!(path, "{name}"),
                Step::Field(name) => write!(path, ".{name}"),
                Step::Item(index) => write!(path, "[{index}]"),
            };
            written.expect("text takes all");
        }
        path
    }
}

impl From<Box<Rejection>> for DecodeError {
    fn from(rejection: Box<Rejection>) -> DecodeError {
        let path = rejection.path();
        DecodeError {
            what: if path.is_empty() {
                rejection.what
            } else {
                format!("{path}: {}", rejection.what)
            },
            offset: rejection.offset,
        }
    }
}
