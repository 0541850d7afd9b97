//! `min_version` and `max_version`.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::{Invalid, Versions};

static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static ONLY_12: [&SupportedProtocolVersion; 1] = [&TLS12];
static ONLY_13: [&SupportedProtocolVersion; 1] = [&TLS13];

/// The versions from `min` (1.2 where absent) to `max` (1.3 where absent).
pub(super) fn between(min: Option<&str>, max: Option<&str>) -> Result<Versions, Invalid> {
    let is_13 = |key, version: &str| match version {
        "1.2" => Ok(false),
        "1.3" => Ok(true),
        other => Err(Invalid::Version {
            key,
            version: other.to_owned(),
        }),
    };
    // An empty value counts as absent, as in the Collector.
    let min = min.filter(|version| !version.is_empty()).unwrap_or("1.2");
    let max = max.filter(|version| !version.is_empty()).unwrap_or("1.3");
    match (is_13("min_version", min)?, is_13("max_version", max)?) {
        (false, true) => Ok(&BOTH),
        (false, false) => Ok(&ONLY_12),
        (true, true) => Ok(&ONLY_13),
        (true, false) => Err(Invalid::NoVersion),
    }
}
