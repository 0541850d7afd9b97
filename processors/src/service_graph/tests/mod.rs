//! Tests of the processor as a whole.

mod calls;
mod edge_stats;
mod graph;
mod limits;
mod metrics;
mod resolved;
mod support;
