//! The YAML of `batch`: the Collector's keys and defaults, and `linger`.

use std::time::Duration;

use pipeline::config::duration;
use schemars::JsonSchema;
use serde::Deserialize;

/// When what is held goes on.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "Document")]
pub struct Config {
    /// None: rows go on at once.
    pub(super) timeout: Option<Duration>,
    pub(super) send_batch_size: usize,
    /// None: as many as there are.
    pub(super) send_batch_max_size: Option<usize>,
    pub(super) linger: Duration,
}

impl Config {
    /// Rows that a batch has at most.
    pub(super) fn most(&self) -> usize {
        self.send_batch_max_size.unwrap_or(usize::MAX)
    }
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// How long rows are held at most; with 0 they go on at once, and only
    /// `send_batch_max_size` counts.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    timeout: Duration,
    /// How many rows (spans, data points, log records) go on without waiting for more; with 0 all
    /// do.
    send_batch_size: usize,
    /// How many rows a batch has at most; larger ones are split. 0 is no bound.
    send_batch_max_size: usize,
    /// How long rows that senders wait for are held at least, although what comes after is idle. (The
    /// Collector has no such key.)
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    linger: Duration,
    /// Must be empty: batches carry no metadata of the client that sent them.
    metadata_keys: Vec<String>,
    /// Has no effect without `metadata_keys`.
    #[allow(dead_code, reason = "the Collector's files may have it")]
    metadata_cardinality_limit: u32,
}

impl Default for Document {
    fn default() -> Document {
        Document {
            timeout: Duration::from_millis(200),
            send_batch_size: 8192,
            send_batch_max_size: 0,
            linger: Duration::ZERO,
            metadata_keys: Vec::new(),
            metadata_cardinality_limit: 1000,
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::try_from(Document::default()).expect("the defaults are valid")
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidConfig {
    #[error(
        "send_batch_max_size {most} is less than send_batch_size {size}: no batch would ever be \
         full; set it to {size} or more, or to 0 for no bound"
    )]
    MaxBelowSize { most: usize, size: usize },
    #[error(
        "metadata_keys are not supported: batches carry no metadata of the client that sent them; \
         leave the list empty"
    )]
    MetadataKeys,
}

impl TryFrom<Document> for Config {
    type Error = InvalidConfig;

    fn try_from(document: Document) -> Result<Config, InvalidConfig> {
        let (size, most) = (document.send_batch_size, document.send_batch_max_size);
        if most != 0 && most < size {
            return Err(InvalidConfig::MaxBelowSize { most, size });
        }
        if !document.metadata_keys.is_empty() {
            return Err(InvalidConfig::MetadataKeys);
        }
        let waits = size != 0 && !document.timeout.is_zero();
        Ok(Config {
            timeout: waits.then_some(document.timeout),
            send_batch_size: size,
            send_batch_max_size: (most != 0).then_some(most),
            linger: document.linger,
        })
    }
}
