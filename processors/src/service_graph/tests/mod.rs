//! What becomes of spans.

mod calls;
mod figures;
mod graph;
mod limits;
mod metrics;
mod resolved;
mod support;
