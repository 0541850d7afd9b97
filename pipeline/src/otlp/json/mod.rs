//! OTLP's JSON ⇄ batches (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): protobuf's JSON mapping
//! (<https://protobuf.dev/programming-guides/json/>), except that ids are hexadecimal.
//!
//! Both directions are driven by the tables of [`descriptors`](super::descriptors) and need no tree of the request.
//!
//! ```text
//!  JSON ─ lexer ─▶ decode ─ numbers, scalars ─▶ buffer ─▶ protobuf ─▶ otlp::decode ─▶ batch
//!                    └─ rejection: resourceSpans[0].scopeSpans[2].spans[1].kind: expected …
//!  batch ─ otlp::encode ─▶ protobuf ─▶ protobuf_to_json, writer ─▶ JSON
//! ```

mod buffer;
mod decode;
mod encode;
mod lexer;
mod numbers;
mod protobuf_to_json;
mod rejection;
mod scalars;
mod writer;

pub use decode::decode;
pub use encode::encode;

#[cfg(test)]
mod tests;
