//! OTLP's JSON form ⇄ batches (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>):
//! protobuf's JSON mapping (<https://protobuf.dev/programming-guides/json/>), but for ids in hex.
//!
//! Both ways are one walk over the tables of [`descriptors`](super::descriptors); nothing holds the
//! request as a tree.
//!
//! ```text
//!  JSON ─ lexer ─▶ decode ─ numbers, scalars ─▶ buffer ─▶ protobuf ─▶ otlp::decode ─▶ batch
//!                    └─ rejection: resourceSpans[0].scopeSpans[2].spans[1].kind: expected …
//!  batch ─ otlp::encode ─▶ protobuf ─▶ walk, writer ─▶ JSON
//! ```

mod buffer;
mod decode;
mod encode;
mod lexer;
mod numbers;
mod rejection;
mod scalars;
mod walk;
mod writer;

pub use decode::decode;
pub use encode::encode;

#[cfg(test)]
mod tests;
