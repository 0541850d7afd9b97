//! The YAML of `demo`.

use std::time::Duration;

use pipeline::config::duration;
use schemars::JsonSchema;
use serde::Deserialize;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(try_from = "DemoDocument")]
pub struct Config {
    pub(super) seed: u64,
    pub(super) speed: f64,
    pub(super) rate: f64,
    pub(super) scan_interval: Duration,
}

/// Simulates a web shop: traces, metrics, logs, cloud resources and changes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct DemoDocument {
    /// The seed of the simulation: the same seed yields the same requests in the same order.
    seed: u64,
    /// Seconds of script time per real second, from 0.01 to 10,000.
    speed: f64,
    /// Requests of users per real second, up to 1,000; 0 for no traffic.
    rate: f64,
    /// How often the cloud is scanned, in script time.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    scan_interval: Duration,
}

impl Default for DemoDocument {
    fn default() -> DemoDocument {
        DemoDocument {
            seed: 1,
            speed: 10.0,
            rate: 20.0,
            scan_interval: Duration::from_secs(60),
        }
    }
}

/// A setting has a value outside its range.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum DemoConfigError {
    #[error("speed must be from 0.01 to 10000, not {0}")]
    Speed(f64),
    #[error("rate must be from 0 to 1000, not {0}")]
    Rate(f64),
    #[error("scan_interval must be at least 1s, not {0:?}")]
    ScanInterval(Duration),
}

impl TryFrom<DemoDocument> for Config {
    type Error = DemoConfigError;

    fn try_from(document: DemoDocument) -> Result<Config, DemoConfigError> {
        if !(0.01..=10_000.0).contains(&document.speed) {
            return Err(DemoConfigError::Speed(document.speed));
        }
        if !(0.0..=1_000.0).contains(&document.rate) {
            return Err(DemoConfigError::Rate(document.rate));
        }
        if document.scan_interval < Duration::from_secs(1) {
            return Err(DemoConfigError::ScanInterval(document.scan_interval));
        }
        Ok(Config {
            seed: document.seed,
            speed: document.speed,
            rate: document.rate,
            scan_interval: document.scan_interval,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::Config;

    fn parse(yaml: Value) -> Result<Config, String> {
        serde_json::from_value(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn empty_config_has_the_defaults() {
        let config = parse(json!({})).unwrap();
        assert_eq!((config.seed, config.speed, config.rate), (1, 10.0, 20.0));
        assert_eq!(config.scan_interval, Duration::from_secs(60));
    }

    #[test]
    fn invalid_value_is_rejected_with_its_key() {
        let wrong = [
            (json!({"speed": 0}), "speed must be"),
            (json!({"rate": -1}), "rate must be"),
            (json!({"scan_interval": "0"}), "scan_interval must be"),
            (json!({"sped": 1}), "unknown field `sped`"),
        ];
        for (yaml, expected) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
