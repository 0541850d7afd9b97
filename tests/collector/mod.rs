//! airdig compared with the OpenTelemetry Collector, and connected to it: the same configuration gives the same
//! metrics, and each decodes what the other exports.

mod exchange;
mod service_graph;
mod spans;
