//! Tests of uids, peers and emitted rows.

mod cloud;
mod instances;
mod joining;
mod loading;
mod peers;
mod support;
mod telling;
mod uids;
