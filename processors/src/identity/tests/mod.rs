//! What becomes of telemetry, by its resource and by the names that are known.

mod cloud;
mod instances;
mod joining;
mod loading;
mod peers;
mod support;
mod telling;
mod uids;
