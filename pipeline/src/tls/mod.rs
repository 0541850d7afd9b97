//! TLS with the Collector's settings, by rustls with ring, without OpenSSL.
//!
//! ```yaml
//! tls:
//!   ca_file: /etc/airdig/ca.pem          # trusted authorities; by default those of the system
//!   cert_file: /etc/airdig/client.pem    # the certificate of airdig (mTLS)
//!   key_file: /etc/airdig/client.key
//!   reload_interval: 1h                  # reload the certificate and key when they were read longer ago
//! ```
//!
//! Components read the files at the start. The error for a missing or invalid file names its configuration key and
//! path.

mod accept_any;
mod client;
mod crypto;
mod identity;
mod pem;
mod self_signed;
mod server;
#[cfg(test)]
mod tests;

pub use client::ClientConfig;
pub use server::ServerConfig;

/// A TLS configuration that is not valid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTlsConfig {
    #[error("tls has both {file} and {pem}; set only one of them")]
    FileAndPem {
        file: &'static str,
        pem: &'static str,
    },
    #[error("tls has {given} without {missing}; set both certificate and key")]
    MissingHalf {
        given: &'static str,
        missing: &'static str,
    },
    #[error("tls has no certificate; set cert_file and key_file")]
    NoCertificate,
    #[error("tls.{key} is {version:?}; set it to 1.2 or 1.3")]
    Version { key: &'static str, version: String },
    #[error("tls.min_version is above tls.max_version")]
    EmptyVersionRange,
    #[error("tls.server_name_override {0:?} is not a valid host name")]
    ServerName(String),
}
