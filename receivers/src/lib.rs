//! Where batches come from.

pub mod demo;
pub mod otlp;
