//! The interface between components, and the engine that runs them. It depends on no component.
//!
//! Read in this order: [`signal`] and [`schema`] define the rows, [`batch`] and [`delivery`] how they are
//! passed on and acknowledged, [`component`] the traits of components; [`topology`] makes a checked graph of
//! a configuration, and [`engine`] runs that graph.

pub mod alias_index;
pub mod attributes;
pub mod batch;
mod cause;
pub mod channel;
pub mod claim_memory;
pub mod claims;
pub mod component;
pub mod config;
mod connector;
pub mod counters;
pub mod delivery;
pub mod engine;
pub mod graph_store;
pub mod hash;
pub mod held;
pub mod impact;
pub mod json_rows;
pub mod label;
pub mod listen;
pub mod members;
pub mod otlp;
pub mod registry;
pub mod reports;
pub mod resource;
pub mod rows;
pub mod schema;
pub mod signal;
pub mod store;
pub mod testing;
pub mod tls;
pub mod topology;
pub mod uid;
mod unix_nanos;

pub use batch::Batch;
pub use delivery::{Delivery, Outcome, Receipt, Refusal};
pub use signal::{Signal, SignalSet};
