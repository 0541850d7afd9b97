//! The contract between components, and the engine that runs them. Knows no component.
//!
//! Read in this order: [`signal`] and [`schema`] say what travels, [`batch`] and [`delivery`]
//! how, [`component`] who may do what with it, [`topology`] how a file becomes a checked graph,
//! [`engine`] how that graph runs.

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
