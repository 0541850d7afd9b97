//! The settings that every exporter has, with the Collector's names and defaults.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::duration;

/// The keys that every exporter has besides its own.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct ExporterSettings {
    /// How long one attempt may take; 0 is no limit.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub timeout: Duration,
    pub retry_on_failure: RetryOnFailure,
    pub sending_queue: SendingQueue,
}

/// When a failed attempt is retried.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOnFailure {
    pub enabled: bool,
    /// Wait after the first failure.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub initial_interval: Duration,
    /// Share (0 to 1) by which each wait is randomly longer or shorter.
    pub randomization_factor: f64,
    pub multiplier: f64,
    /// The longest wait.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub max_interval: Duration,
    /// How long to retry; 0 is for ever. Retries also end at the deadline of the sender.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub max_elapsed_time: Duration,
}

/// The queue of an exporter.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct SendingQueue {
    pub enabled: bool,
    /// Batches that are exported at the same time.
    pub num_consumers: usize,
    /// The capacity of the queue, in units of `sizer`.
    pub queue_size: usize,
    pub sizer: Sizer,
    /// Wait for room when the queue is full, instead of refusing the batch.
    pub block_on_overflow: bool,
    /// Acknowledge a batch when it is durable, not when it is queued. (The Collector's default is false.)
    pub wait_for_result: bool,
    /// Bytes of the outbox: rows that no sender can send again (windows, statistics) wait there, not in the
    /// queue, and are retried without an end. When it is full, the oldest rows are dropped.
    pub outbox_size: usize,
    /// Merges queued batches. Without it each batch is exported as it came.
    pub batch: Option<QueueBatch>,
}

/// How queued batches are merged, with the Collector's names and defaults.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct QueueBatch {
    /// The longest time that rows are held whose senders were acknowledged when they were queued
    /// (`wait_for_result: false`). Rows whose senders wait are exported as soon as a consumer is free.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub flush_timeout: Duration,
    /// The size at which a batch is exported without waiting for more rows.
    pub min_size: usize,
    /// The maximum size of a batch. A larger one is split, but never within one snapshot. 0 is no maximum.
    pub max_size: usize,
    /// The unit of both sizes.
    pub sizer: BatchSizer,
}

/// The unit of batch sizes: rows (`items`), or bytes in memory.
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

/// The unit of `queue_size`: batches (`requests`), rows (`items`) or bytes. A queue never holds more than 64
/// MiB.
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
