//! The configuration: a YAML tree in which each node has its position in the file.
//!
//! ```text
//!  files, --set ─ load: parse, expand, merge ─▶ YamlNode ─ schema::check ─▶ all problems, each with its position
//!                                                  └─ YamlNode::decode ─▶ typed configuration of a component
//! ```

mod decode;
pub mod duration;
mod expand;
mod host_port;
mod load;
mod merge;
mod node;
mod parse;
mod position;
mod scalar;
mod scalar_position;
pub(crate) mod schema;
mod scrub;
mod secret;

pub use decode::YamlDecodeError;
pub use expand::{Environment, LoadContext};
pub use host_port::{HostPort, InvalidHostPort};
pub use load::{LoadedConfig, load};
pub use node::YamlNode;
#[cfg(test)]
pub(crate) use parse::parse;
pub use position::{Problem, SourcePosition, nearest};
pub use secret::Secret;
