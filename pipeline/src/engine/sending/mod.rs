//! What the engine does for every exporter: queue, consumers, timeout, retry, acknowledgement.

mod attempt;
mod backoff;
mod consumer;
mod grouping;
mod queue;
#[cfg(test)]
mod tests;
mod together;
mod unawaited;

pub(super) use attempt::Sending;
pub(super) use consumer::consume;
pub(super) use queue::{consumers, queue};
pub(super) use unawaited::export_outbox;
