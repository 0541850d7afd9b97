use std::time::Duration;

use pipeline::config::duration;
use pipeline::schema::opening;
use pipeline::{Signal, SignalSet};
use schemars::JsonSchema;
use serde::Deserialize;

/// What the query is and what becomes of its rows.
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
    /// DataFusion's SQL; the tables are the signals.
    query: String,
    /// The signal that the yielded rows are.
    into: Signal,
    /// Whether the rows that the query read pass on, too.
    #[serde(default = "yes")]
    keep: bool,
    /// What is held for the query. Without it a query sees one batch.
    window: Option<Window>,
}

fn yes() -> bool {
    true
}

/// Stretches of event time, each asked once.
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
    /// How much time the query sees.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    size: Duration,
    /// How often it is run; as long as `size` where not given.
    #[serde(default, deserialize_with = "optional")]
    #[schemars(with = "Option<duration::Text>")]
    every: Option<Duration>,
    /// How much later than the newest row a row may come.
    #[serde(default = "lateness", deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    lateness: Duration,
    /// The column that says when a row happened: a timestamp of every signal that is read.
    #[serde(default = "on")]
    on: String,
    /// How many bytes of rows are held at most; what finds no room is counted and named.
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

/// Windows that one row is in.
const MOST_AT_ONCE: u128 = 10_000;

/// A window that is not.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidWindow {
    #[error("window: size and every are at least 1ms")]
    TooShort,
    #[error("window: every is longer than size, so that rows between would be seen by no run")]
    Gaps,
    #[error(
        "window: size is more than {MOST_AT_ONCE} times every: each row would be asked about so often"
    )]
    TooMany,
    #[error("window: max_bytes is at least 1")]
    NoRoom,
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
        if document.size.as_nanos() / every.as_nanos() > MOST_AT_ONCE {
            return Err(InvalidWindow::TooMany);
        }
        if document.max_bytes == 0 {
            return Err(InvalidWindow::NoRoom);
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
    /// What a processor of this configuration does not pass on.
    pub(super) fn absorbs(&self, reads: SignalSet) -> SignalSet {
        if self.keep { SignalSet::NONE } else { reads }
    }
}
