//! What is made of batches on their way.

mod attribute_actions;
pub mod attributes;
pub mod batch;
pub mod graph;
pub mod identity;
pub mod resource;
mod service;
pub mod service_graph;
