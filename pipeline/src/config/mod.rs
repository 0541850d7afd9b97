//! The YAML document: its tree with the place of everything, and what is wrong with it.

pub mod duration;
mod node;

pub use node::{DecodeError, Node};
