//! Beside the OpenTelemetry Collector, and in a row with it: the same configuration gives the same
//! metrics, and what one sends the other understands.

mod in_a_row;
mod service_graph;
mod spans;
