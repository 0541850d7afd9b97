//! Tests of uids, peers and emitted rows.

mod cloud;
mod emitting;
mod instances;
mod loading;
mod peers;
mod support;
mod uids;
mod unresolved_endpoints;
