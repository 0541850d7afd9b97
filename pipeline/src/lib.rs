//! The interface between components, and the engine that runs them. It depends on no component.
//!
//! Read it in this order: [`signal`] and [`schema`] define the rows. [`batch`] and [`delivery`] define how rows are
//! passed on and acknowledged. [`component`] defines the traits of components. [`topology`] converts a configuration
//! to a checked graph of components, and [`engine`] runs that graph. [`claims`] defines the rules of the graph store,
//! and [`store`] implements the store.

pub mod alias_index;
pub mod attributes;
pub mod batch;
pub mod batch_buffer;
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
pub mod exporter_settings;
pub mod graph_store;
pub mod hash;
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
