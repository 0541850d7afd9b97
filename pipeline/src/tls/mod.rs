//! TLS as the Collector configures it, by rustls with ring; no OpenSSL.
//!
//! ```yaml
//! tls:
//!   ca_file: /etc/airdig/ca.pem          # trusted authorities; those of the system where absent
//!   cert_file: /etc/airdig/client.pem    # own certificate (mTLS)
//!   key_file: /etc/airdig/client.key
//!   reload_interval: 1h                  # reload certificate and key when they are older
//! ```
//!
//! Files are read at start. The error for a missing or invalid file names its configuration key and path.

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

/// A TLS configuration that is not valid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("tls has both {file} and {pem}: set only one of them")]
    Both {
        file: &'static str,
        pem: &'static str,
    },
    #[error("tls has {given} without {missing}: set both certificate and key")]
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
    #[error("tls.server_name_override {0:?} is not a valid host name")]
    ServerName(String),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The allowed TLS versions.
type Versions = &'static [&'static SupportedProtocolVersion];
