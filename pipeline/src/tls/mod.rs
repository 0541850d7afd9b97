//! TLS as the Collector configures it, by rustls with ring; no OpenSSL.
//!
//! ```yaml
//! tls:
//!   ca_file: /etc/airdig/ca.pem          # whom to trust; the system's authorities where absent
//!   cert_file: /etc/airdig/client.pem    # who we are (mTLS)
//!   key_file: /etc/airdig/client.key
//!   reload_interval: 1h                  # read the two again for a new connection
//! ```
//!
//! Files are read at start: one that is missing or holds something else is an error that names its
//! key and path.

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;

mod client;
mod identity;
mod pem;
mod self_signed;
mod server;
#[cfg(test)]
mod tests;
mod unverified;
mod versions;

pub use client::ClientConfig;
pub use server::ServerConfig;

/// What the types alone do not say.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("tls has both {file} and {pem}: only one of them can be")]
    Both {
        file: &'static str,
        pem: &'static str,
    },
    #[error("tls has {given} without {missing}: a certificate and its key belong together")]
    Half {
        given: &'static str,
        missing: &'static str,
    },
    #[error("tls needs cert_file and key_file")]
    NoCertificate,
    #[error("tls.{key} {version:?} is not one of 1.2, 1.3")]
    Version { key: &'static str, version: String },
    #[error("tls.min_version is above tls.max_version")]
    NoVersion,
    #[error("tls.server_name_override {0:?} is no host name")]
    ServerName(String),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Which versions may be spoken.
type Versions = &'static [&'static SupportedProtocolVersion];
