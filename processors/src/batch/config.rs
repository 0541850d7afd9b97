//! The YAML of `batch`: the Collector's keys and defaults, and `linger`.

use std::time::Duration;

use pipeline::config::duration;
use schemars::JsonSchema;
use serde::Deserialize;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "BatchYaml")]
pub struct Config {
    /// `None` if rows are not held.
    pub(super) timeout: Option<Duration>,
    pub(super) send_batch_size: usize,
    /// `None` if there is no limit.
    pub(super) send_batch_max_size: Option<usize>,
    pub(super) linger: Duration,
}

impl Config {
    /// The maximum number of rows of a batch.
    pub(super) fn max_rows(&self) -> usize {
        self.send_batch_max_size.unwrap_or(usize::MAX)
    }
}

/// Merges small batches into larger ones.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct BatchYaml {
    /// The maximum time that rows are held. With 0, rows are not held, and only `send_batch_max_size` has an effect.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    timeout: Duration,
    /// The number of rows (spans, data points, log records) at which a batch is released. With 0, rows are not held.
    send_batch_size: usize,
    /// The maximum number of rows of a batch; larger batches are split. 0 means no limit.
    send_batch_max_size: usize,
    /// Delays the release of rows to idle exporters until the oldest row has been held for this time, at most `timeout`.
    /// (The Collector has no such key.)
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    linger: Duration,
    /// Must be empty: batches carry no metadata of the client that sent them.
    metadata_keys: Vec<String>,
    /// Has no effect without `metadata_keys`.
    #[allow(dead_code, reason = "the Collector's files may have it")]
    metadata_cardinality_limit: u32,
}

impl Default for BatchYaml {
    fn default() -> BatchYaml {
        BatchYaml {
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
        Config::try_from(BatchYaml::default()).expect("the defaults are valid")
    }
}

/// Why the configuration is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchConfigError {
    #[error(
        "send_batch_max_size must be greater or equal to send_batch_size, but {max} is less than \
         {size}: set it to {size} or more, or to 0 for no limit"
    )]
    MaxBelowSize { max: usize, size: usize },
    #[error(
        "metadata_keys are not supported: batches carry no metadata of the client that sent them; \
         leave the list empty"
    )]
    MetadataKeys,
    #[error(
        "linger {linger:?} exceeds timeout {timeout:?}, the longest time that rows are held: set timeout to \
         {linger:?} or more"
    )]
    LingerAboveTimeout { linger: Duration, timeout: Duration },
}

impl TryFrom<BatchYaml> for Config {
    type Error = BatchConfigError;

    fn try_from(yaml: BatchYaml) -> Result<Config, BatchConfigError> {
        let (size, max) = (yaml.send_batch_size, yaml.send_batch_max_size);
        if max != 0 && max < size {
            return Err(BatchConfigError::MaxBelowSize { max, size });
        }
        if !yaml.metadata_keys.is_empty() {
            return Err(BatchConfigError::MetadataKeys);
        }
        let (linger, timeout) = (yaml.linger, yaml.timeout);
        if linger > timeout {
            return Err(BatchConfigError::LingerAboveTimeout { linger, timeout });
        }
        let holds_rows = size != 0 && !timeout.is_zero();
        Ok(Config {
            timeout: holds_rows.then_some(timeout),
            send_batch_size: size,
            send_batch_max_size: (max != 0).then_some(max),
            linger,
        })
    }
}
