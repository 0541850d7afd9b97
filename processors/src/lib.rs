//! Processors and connectors, one module each, and the code that several of them share.

mod attribute_actions;
pub mod attributes;
pub mod batch;
mod following;
pub mod forward;
pub mod graph;
pub mod identity;
pub mod impact;
mod loading;
pub mod query;
pub mod resource;
mod service;
mod service_columns;
pub mod service_graph;
pub mod sql;
#[cfg(test)]
mod test_store;
