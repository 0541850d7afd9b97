//! The interface between components, and the engine that runs them. It depends on no component.
//!
//! Read it in this order:
//!
//! 1. [`signal`] and [`schema`] define the rows; [`batch`], [`delivery`] and [`channel`] how batches are sent and
//!    acknowledged.
//! 2. [`component`] defines the traits of components. [`config`] and [`topology`] convert a file to a checked topology,
//!    and [`engine`] runs it.
//! 3. [`reports`] converts rows to reports, and [`claims`] has the rules that merge reports into one graph.
//!    [`graph_store`] defines the queries on the graph. [`store`] keeps the graph in the rows of a backend.
//!    [`alias_index`] holds the names of nodes in memory and merges them by the same rules ([`claim_memory`]).

pub mod alias_index;
pub mod attributes;
pub mod batch;
pub mod batch_buffer;
pub mod channel;
pub mod claim_memory;
pub mod claims;
pub mod component;
pub mod config;
mod connector;
pub mod counters;
pub mod delivery;
pub mod engine;
mod error_cause;
pub mod exporter_settings;
pub mod graph_store;
pub mod hash;
pub mod impact;
pub mod interner;
pub mod json_rows;
pub mod label;
pub mod listen;
pub mod log_throttle;
pub mod otlp;
pub mod registry;
pub mod reports;
pub mod resource;
pub mod rows;
pub mod scan_members;
pub mod schema;
pub mod signal;
pub mod store;
pub mod sync;
pub mod testing;
pub mod tls;
pub mod topology;
pub mod uid;
mod unix_nanos;

pub use batch::Batch;
pub use delivery::{Delivery, Outcome, Receipt, Refusal};
pub use signal::{Signal, SignalSet};
