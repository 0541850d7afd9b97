//! The engine's side of every exporter: queue, consumers, timeouts, retries, acknowledgements.
//!
//! ```text
//!  queue ─ consume ─▶ joint: one attempt for all ─▶ attempt: each alone, with retries ─▶ Exporter
//!            └─ grouping: merges batches ────────────▶ attempt                             ▲
//!  outbox ─ export_outbox: retries until acknowledged or rejected ────────────────────────┘
//! ```

mod attempt;
mod backoff;
mod grouping;
mod joint;
mod outbox;
mod queue;
#[cfg(test)]
mod tests;

pub(super) use attempt::ExporterSender;
pub(super) use outbox::export_outbox;
pub(super) use queue::{consume, consumers, queue};
