//! What `otlp` and `otlp_http` share: the body of a request, the connection that it takes, and what
//! an answer means for the batch.
//!
//! ```text
//!  Batch ─body─▶ bytes as they came, or encoded ─compression─▶ exporter ─connector─▶ TCP or TLS
//!                                                                 │
//!  Delivery::reject_rows ◀──partial_success── accepted ◀──────────┤
//!  ExportError, and when to come back ◀─────────────── refused ◀──┘
//! ```

mod body;
mod compression;
mod connector;
mod headers;
mod partial_success;
mod refusal;
mod seldom;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use body::{Encoding, body, pieces};
pub(crate) use compression::{Compression, Unsupported};
pub(crate) use connector::Connector;
pub(crate) use headers::Headers;
pub(crate) use partial_success::{PartialSuccess, Rejections};
pub(crate) use refusal::{LONGEST_WAIT, printable};

/// How we name ourselves to servers.
pub(crate) const USER_AGENT: &str = concat!("airdig/", env!("CARGO_PKG_VERSION"));
