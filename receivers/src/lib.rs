//! Where batches come from.

pub mod otlp;
