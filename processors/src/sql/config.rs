//! The YAML of `sql`.

use std::time::Duration;

use pipeline::config::duration;
use pipeline::schema::opening;
use pipeline::{Signal, SignalSet};
use schemars::JsonSchema;
use serde::Deserialize;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, try_from = "Document")]
#[schemars(with = "Document")]
pub struct Config {
    pub(super) query: String,
    pub(super) into: Signal,
    pub(super) keep: bool,
    pub(super) window: Option<Window>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
struct Document {
    /// A query in DataFusion's SQL; the tables are the signals.
    query: String,
    /// The signal of the rows that the query yields.
    into: Signal,
    /// Whether to forward the rows that the query reads, too.
    #[serde(default = "yes")]
    keep: bool,
    /// The window of event time whose rows each run of the query reads. Without a window, the query runs on each batch.
    window: Option<Window>,
}

fn yes() -> bool {
    true
}

/// The windows of event time. The query runs once for each window.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, try_from = "WindowDocument")]
#[schemars(with = "WindowDocument")]
pub(super) struct Window {
    pub(super) size: Duration,
    pub(super) every: Duration,
    pub(super) lateness: Duration,
    pub(super) on: String,
    pub(super) max_bytes: usize,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WindowDocument {
    /// The length of a window.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    size: Duration,
    /// The time between the ends of two windows. Default: `size`.
    #[serde(default, deserialize_with = "optional")]
    #[schemars(with = "Option<duration::Text>")]
    every: Option<Duration>,
    /// How long a window stays open after its end, in event time.
    #[serde(default = "lateness", deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    lateness: Duration,
    /// The column with the event time: a timestamp column of every signal that the query reads.
    #[serde(default = "on")]
    on: String,
    /// The maximum size of all held rows in bytes. Rows beyond this size are in no window, and are counted and logged.
    #[serde(default = "max_bytes")]
    max_bytes: usize,
}

fn optional<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration::deserialize(deserializer).map(Some)
}

fn lateness() -> Duration {
    Duration::from_secs(30)
}

fn on() -> String {
    opening::TIME.to_owned()
}

fn max_bytes() -> usize {
    64 << 20
}

/// The maximum number of windows that one row is in.
const MAX_OVERLAP: u128 = 10_000;

/// Why a window is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidWindow {
    #[error("window: size and every must be at least 1ms")]
    TooShort,
    #[error("window: every is longer than size, so rows between two windows would be in no window")]
    Gaps,
    #[error(
        "window: size is more than {MAX_OVERLAP} times every, so each row would be in too many windows"
    )]
    TooMany,
    #[error("window: max_bytes must be at least 1")]
    NoBytes,
}

impl TryFrom<WindowDocument> for Window {
    type Error = InvalidWindow;

    fn try_from(document: WindowDocument) -> Result<Window, InvalidWindow> {
        let every = document.every.unwrap_or(document.size);
        if document.size.min(every) < Duration::from_millis(1) {
            return Err(InvalidWindow::TooShort);
        }
        if every > document.size {
            return Err(InvalidWindow::Gaps);
        }
        if document.size.as_nanos() / every.as_nanos() > MAX_OVERLAP {
            return Err(InvalidWindow::TooMany);
        }
        if document.max_bytes == 0 {
            return Err(InvalidWindow::NoBytes);
        }
        Ok(Window {
            size: document.size,
            every,
            lateness: document.lateness,
            on: document.on,
            max_bytes: document.max_bytes,
        })
    }
}

impl From<Document> for Config {
    fn from(document: Document) -> Config {
        Config {
            query: document.query,
            into: document.into,
            keep: document.keep,
            window: document.window,
        }
    }
}

impl Config {
    /// The signals that the processor does not forward. `reads` are the signals that the query reads.
    pub(super) fn absorbs(&self, reads: SignalSet) -> SignalSet {
        if self.keep { SignalSet::NONE } else { reads }
    }
}
