//! What stands between pipelines and every exporter, written once: queue, consumers, timeout,
//! retry, answer.

mod attempt;
mod backoff;
mod consumer;
mod queue;
#[cfg(test)]
mod tests;
mod together;

pub(super) use attempt::Sending;
pub(super) use consumer::consume;
pub(super) use queue::{consumers, queue};
