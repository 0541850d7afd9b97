//! The settings that every exporter has, with the Collector's names and defaults.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::duration;

/// The keys that stand beside an exporter's own.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct ExporterSettings {
    /// How long one attempt may take.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub timeout: Duration,
    pub retry_on_failure: RetryOnFailure,
    pub sending_queue: SendingQueue,
}

/// When an attempt that may work later is made again.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOnFailure {
    pub enabled: bool,
    /// Wait after the first failure.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub initial_interval: Duration,
    /// Share (0 to 1) by which a wait is made longer or shorter at random.
    pub randomization_factor: f64,
    pub multiplier: f64,
    /// The longest wait.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub max_interval: Duration,
    /// How long to go on; 0 is for ever. A sender that waits shortens it to its own deadline.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub max_elapsed_time: Duration,
}

/// What waits for an exporter.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct SendingQueue {
    pub enabled: bool,
    /// Batches that are exported at the same time.
    pub num_consumers: usize,
    /// How much may wait, in units of `sizer`.
    pub queue_size: usize,
    pub sizer: Sizer,
    /// Wait for room rather than refuse.
    pub block_on_overflow: bool,
    /// Answer the sender when the batch is durable, not when it is queued. (The Collector's default
    /// is false.)
    pub wait_for_result: bool,
    /// How many bytes of rows for which no sender waits (windows, statistics) are kept until the exporter has
    /// taken them; then the oldest leave. They are not in the queue, and sent again without an end.
    pub outbox_size: usize,
    /// Puts batches that wait together. Without it each is exported as it came.
    pub batch: Option<QueueBatch>,
}

/// How batches that wait in a queue become one, with the Collector's names and defaults.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct QueueBatch {
    /// How long rows are held at most whose senders were answered when they were queued (`wait_for_result:
    /// false`). Rows of senders that wait are exported as soon as a consumer is free.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub flush_timeout: Duration,
    /// With how much they go on without waiting for more.
    pub min_size: usize,
    /// How much a batch has at most; a larger one is split, but for the rows of one snapshot. 0 is no bound.
    pub max_size: usize,
    /// What both sizes count.
    pub sizer: BatchSizer,
}

/// What the sizes of a batch count: rows, or bytes in memory.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum BatchSizer {
    Items,
    Bytes,
}

impl Default for QueueBatch {
    fn default() -> QueueBatch {
        QueueBatch {
            flush_timeout: Duration::from_millis(200),
            min_size: 8192,
            max_size: 0,
            sizer: BatchSizer::Items,
        }
    }
}

/// What `queue_size` counts. Whatever it counts, a queue never holds more than 64 MiB.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Sizer {
    Requests,
    Items,
    Bytes,
}

impl Default for ExporterSettings {
    fn default() -> ExporterSettings {
        ExporterSettings {
            timeout: Duration::from_secs(5),
            retry_on_failure: RetryOnFailure::default(),
            sending_queue: SendingQueue::default(),
        }
    }
}

impl Default for RetryOnFailure {
    fn default() -> RetryOnFailure {
        RetryOnFailure {
            enabled: true,
            initial_interval: Duration::from_secs(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: Duration::from_secs(300),
        }
    }
}

impl Default for SendingQueue {
    fn default() -> SendingQueue {
        SendingQueue {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            block_on_overflow: false,
            wait_for_result: true,
            outbox_size: 64 << 20,
            batch: None,
        }
    }
}
