//! Telemetry of the process itself: its metrics and their endpoint.

pub(super) mod process;
mod serve;

pub(super) use serve::{bind, serve};
