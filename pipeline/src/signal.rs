//! Signals: the kinds of rows, and sets of them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// The kind of the rows in a batch. Each signal has one fixed schema, see [`crate::schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
    Resources,
    Changes,
    Nodes,
    Edges,
    Aliases,
    EdgeStats,
    Drift,
    Health,
    Correlations,
    Alerts,
    RefreshRequests,
}

impl Signal {
    /// All signals, in the order of their numbers.
    pub const ALL: [Signal; 14] = [
        Signal::Traces,
        Signal::Metrics,
        Signal::Logs,
        Signal::Resources,
        Signal::Changes,
        Signal::Nodes,
        Signal::Edges,
        Signal::Aliases,
        Signal::EdgeStats,
        Signal::Drift,
        Signal::Health,
        Signal::Correlations,
        Signal::Alerts,
        Signal::RefreshRequests,
    ];

    /// The signals whose rows are records. A record has an id and episodes, and names uids.
    pub const RECORDS: [Signal; 5] = [
        Signal::Changes,
        Signal::Drift,
        Signal::Health,
        Signal::Correlations,
        Signal::Alerts,
    ];

    /// The name of the signal in YAML, SQL and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
            Signal::Resources => "resources",
            Signal::Changes => "changes",
            Signal::Nodes => "nodes",
            Signal::Edges => "edges",
            Signal::Aliases => "aliases",
            Signal::EdgeStats => "edge_stats",
            Signal::Drift => "drift",
            Signal::Health => "health",
            Signal::Correlations => "correlations",
            Signal::Alerts => "alerts",
            Signal::RefreshRequests => "refresh_requests",
        }
    }

    /// The name of the rows in the metrics of the Collector: `otelcol_receiver_accepted_spans`.
    pub const fn items(self) -> &'static str {
        match self {
            Signal::Traces => "spans",
            Signal::Metrics => "metric_points",
            Signal::Logs => "log_records",
            other => other.name(),
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name is not that of a signal.
#[derive(Debug, thiserror::Error)]
#[error("unknown signal {0:?}")]
pub struct UnknownSignal(String);

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(name: &str) -> Result<Signal, UnknownSignal> {
        Signal::ALL
            .into_iter()
            .find(|signal| signal.name() == name)
            .ok_or_else(|| UnknownSignal(name.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Signal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signal, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Signal {
    fn schema_name() -> Cow<'static, str> {
        "Signal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "string", "enum": Signal::ALL.map(Signal::name)})
    }
}

/// A set of signals: those that a component accepts, or those that it can produce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalSet(u32);

impl SignalSet {
    /// The empty set.
    pub const NONE: SignalSet = SignalSet(0);
    /// All signals.
    pub const ALL: SignalSet = SignalSet::of(&Signal::ALL);
    /// The signals of OTLP: traces, metrics, logs.
    pub const TELEMETRY: SignalSet =
        SignalSet::of(&[Signal::Traces, Signal::Metrics, Signal::Logs]);
    /// The signals that a graph store keeps.
    pub const GRAPH: SignalSet = SignalSet::of(&[
        Signal::Nodes,
        Signal::Edges,
        Signal::Aliases,
        Signal::EdgeStats,
        Signal::Changes,
        Signal::Drift,
        Signal::Health,
        Signal::Correlations,
        Signal::Alerts,
    ]);

    /// The set of these signals.
    pub const fn of(signals: &[Signal]) -> SignalSet {
        let mut bits = 0;
        let mut index = 0;
        while index < signals.len() {
            bits |= signals[index].bit();
            index += 1;
        }
        SignalSet(bits)
    }

    /// Whether the set contains a signal.
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & signal.bit() != 0
    }

    /// The signals in either set.
    pub const fn union(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 | other.0)
    }

    /// The signals in both sets.
    pub const fn intersection(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & other.0)
    }

    /// The signals in this set that are not in the other.
    pub const fn without(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & !other.0)
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The signals of the set, in the order of [`Signal::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL
            .into_iter()
            .filter(move |signal| self.contains(*signal))
    }
}

impl fmt::Display for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, signal) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(signal.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Signal, SignalSet};

    #[test]
    fn every_signal_is_parsed_from_its_name() {
        for signal in Signal::ALL {
            assert_eq!(signal.name().parse::<Signal>().unwrap(), signal);
        }
        assert!("spans".parse::<Signal>().is_err());
    }

    #[test]
    fn a_set_lists_its_members_in_order() {
        let set = SignalSet::of(&[Signal::Logs, Signal::Traces]);
        assert_eq!(set.to_string(), "traces, logs");
        assert_eq!(SignalSet::ALL.iter().count(), 14);
    }
}
