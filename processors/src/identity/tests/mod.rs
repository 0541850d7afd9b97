//! What becomes of telemetry by its resource.

mod support;
mod telling;
mod uids;
