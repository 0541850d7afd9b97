//! The crypto provider and the allowed TLS versions.

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};

use super::InvalidTlsConfig;

/// The allowed TLS versions.
pub(super) type TlsVersions = &'static [&'static SupportedProtocolVersion];

/// The crypto provider of all connections: ring.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static ONLY_12: [&SupportedProtocolVersion; 1] = [&TLS12];
static ONLY_13: [&SupportedProtocolVersion; 1] = [&TLS13];

/// The versions from `min_version` (1.2 by default) to `max_version` (1.3 by default).
pub(super) fn versions_between(
    min: Option<&str>,
    max: Option<&str>,
) -> Result<TlsVersions, InvalidTlsConfig> {
    let is_13 = |key, version: &str| match version {
        "1.2" => Ok(false),
        "1.3" => Ok(true),
        other => Err(InvalidTlsConfig::Version {
            key,
            version: other.to_owned(),
        }),
    };
    // An empty value means the default, as in the Collector.
    let min = min.filter(|version| !version.is_empty()).unwrap_or("1.2");
    let max = max.filter(|version| !version.is_empty()).unwrap_or("1.3");
    match (is_13("min_version", min)?, is_13("max_version", max)?) {
        (false, true) => Ok(&BOTH),
        (false, false) => Ok(&ONLY_12),
        (true, true) => Ok(&ONLY_13),
        (true, false) => Err(InvalidTlsConfig::EmptyVersionRange),
    }
}
