//! Settings: how long rows are kept.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::duration;

/// How long rows are kept; 0 keeps them for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// The history of nodes and edges. Reads as of an older time are rejected. Values that are still in force stay.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub history: Duration,
    /// Edge statistics per minute. Older minutes are summed to hours.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub edge_stats: Duration,
    /// Edge statistics per hour.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub edge_stats_hourly: Duration,
    /// Drift, health, correlations and alerts, from their resolution; changes, from their time.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub records: Duration,
}

impl Default for Retention {
    fn default() -> Retention {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        Retention {
            history: days(30),
            edge_stats: days(14),
            edge_stats_hourly: days(90),
            records: days(90),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::Retention;

    #[test]
    fn missing_settings_have_defaults() {
        let parse = |value| serde_json::from_value::<Retention>(value);
        assert_eq!(parse(json!({})).unwrap(), Retention::default());
        let parsed = parse(json!({"history": "7d", "records": "0"})).unwrap();
        let expected = Retention {
            history: Duration::from_secs(7 * 24 * 3600),
            records: Duration::ZERO,
            ..Retention::default()
        };
        assert_eq!(parsed, expected);
        assert!(parse(json!({"minutes": "7d"})).is_err());
    }
}
