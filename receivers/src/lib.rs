//! Where batches come from.

#[cfg(feature = "aws")]
pub mod aws;
pub mod demo;
pub mod otlp;
