//! What is made of batches on their way.

pub mod batch;
pub mod forward;
pub mod graph;
pub mod identity;
mod query;
mod service;
pub mod service_graph;
