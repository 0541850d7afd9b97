//! The YAML document: its tree with the place of everything, and what is wrong with it.
//!
//! [`load`] reads, expands and merges files into a [`Node`]; [`check`](schema::check) compares a
//! node with a component's JSON Schema and finds all that is wrong; [`Node::decode`] makes the
//! typed configuration of it.

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
