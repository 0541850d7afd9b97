//! How long things are kept.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::duration;

/// How long things are kept; 0 is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// What nodes and edges were like: reads as of an older time are rejected. What was true then and
    /// still is stays.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub history: Duration,
    /// Edge statistics of each minute. Older ones become hours.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub edge_stats: Duration,
    /// Edge statistics of each hour.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub edge_stats_hourly: Duration,
    /// Drift, health, correlations and alerts after they were resolved, changes after they were made.
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
    fn what_is_not_set_has_its_default() {
        let parse = |value| serde_json::from_value::<Retention>(value);
        assert_eq!(parse(json!({})).unwrap(), Retention::default());
        let days = parse(json!({"history": "7d", "records": "0"})).unwrap();
        let expected = Retention {
            history: Duration::from_secs(7 * 24 * 3600),
            records: Duration::ZERO,
            ..Retention::default()
        };
        assert_eq!(days, expected);
        assert!(parse(json!({"minutes": "7d"})).is_err());
    }
}
