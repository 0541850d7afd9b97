//! The receivers: OTLP, scans of AWS accounts, and a simulated shop.

#[cfg(feature = "aws")]
pub mod aws;
pub mod demo;
pub mod otlp;
