//! The configuration: a YAML tree in which each node has its place in the file.
//!
//! [`load`] reads, expands and merges files into a [`Node`]; [`check`](schema::check) validates a node
//! against the JSON Schema of a component and finds all problems; [`Node::decode`] decodes a node into a
//! typed configuration.

mod decode;
pub mod duration;
mod expand;
mod host_port;
mod load;
mod merge;
mod node;
mod parse;
mod place;
mod scalar;
pub(crate) mod schema;
mod secret;
mod secrets;
mod within;

pub use decode::DecodeError;
pub use host_port::{HostPort, InvalidHostPort};
pub use load::{Environment, Loaded, Loading, load};
pub use node::Node;
#[cfg(test)]
pub(crate) use parse::parse;
pub use place::nearest;
pub use place::{Place, Problem};
pub use secret::Secret;
