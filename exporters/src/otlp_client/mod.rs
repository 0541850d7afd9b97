//! Code that the exporters `otlp` and `otlp_http` share: request bodies, connections, and the meaning of responses.
//!
//! ```text
//!  Batch ─body─▶ original or encoded bytes ─compression─▶ exporter ─connector─▶ TCP or TLS
//!                                                           │
//!  Delivery::reject_rows ◀──partial_success── accepted ◀────┤
//!  ExportError, with the delay of a retry ◀── rejected ◀────┘
//! ```

mod body;
mod compression;
mod connector;
mod headers;
mod response;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use body::{BodyEncoder, Encoding};
pub(crate) use compression::{Compression, UnsupportedCompression};
pub(crate) use connector::{Connector, HttpVersions};
pub(crate) use headers::Headers;
pub(crate) use response::{MAX_RETRY_DELAY, PartialSuccess, Rejections, printable};

/// The `User-Agent` of requests.
pub(crate) const USER_AGENT: &str = concat!("airdig/", env!("CARGO_PKG_VERSION"));
