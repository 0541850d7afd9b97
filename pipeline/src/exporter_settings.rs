//! The settings that all exporters share, with the Collector's names and defaults.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::duration;

/// The settings that every exporter has besides those of its type.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct ExporterSettings {
    /// The time limit of one attempt; 0 means no limit.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub timeout: Duration,
    pub retry_on_failure: RetryOnFailure,
    pub sending_queue: SendingQueue,
}

/// How failed attempts are retried.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOnFailure {
    pub enabled: bool,
    /// The wait after the first failure.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub initial_interval: Duration,
    /// The share (0 to 1) by which each wait is randomly longer or shorter.
    pub randomization_factor: f64,
    /// The factor by which the wait grows after each failure.
    pub multiplier: f64,
    /// The longest wait.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub max_interval: Duration,
    /// The time after which retries end; 0 means no limit. Retries also end at the deadline of the sender.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub max_elapsed_time: Duration,
}

/// The queue of an exporter.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct SendingQueue {
    pub enabled: bool,
    /// The number of batches that are exported concurrently.
    pub num_consumers: usize,
    /// The capacity of the queue, in units of `sizer`.
    pub queue_size: usize,
    pub sizer: Sizer,
    /// When the queue is full, wait instead of refusing the batch.
    pub block_on_overflow: bool,
    /// Acknowledge a batch when it is durable, not when it is queued. (The Collector's default is false.)
    pub wait_for_result: bool,
    /// The size of the outbox in bytes. Rows that no sender can send again (windows, statistics) wait in the outbox,
    /// not in the queue, and are retried without a limit. When it is full, the oldest rows are dropped.
    pub outbox_size: usize,
    /// Merges queued batches. Without it, batches are exported as they arrive.
    pub batch: Option<QueueBatch>,
}

/// How queued batches are merged, with the Collector's names and defaults.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct QueueBatch {
    /// The time limit for holding rows whose senders were acknowledged when they were queued
    /// (`wait_for_result: false`). Rows whose senders wait are exported as soon as a consumer is free.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub flush_timeout: Duration,
    /// The size at which a batch is exported without waiting for more rows.
    pub min_size: usize,
    /// The maximum size of a batch. A larger one is split, but never within one snapshot. 0 means no maximum.
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

/// The unit of `queue_size`: batches (`requests`), rows (`items`) or bytes. A queue never holds more than 64 MiB.
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
