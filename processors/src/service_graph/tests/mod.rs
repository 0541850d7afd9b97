//! Tests of the processor as a whole.

mod calls;
mod figures;
mod graph;
mod limits;
mod metrics;
mod resolved;
mod support;
