//! The YAML of `service_graph`: the Collector's keys, and its defaults except where noted.

use std::num::NonZeroUsize;
use std::time::Duration;

use pipeline::config::duration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(try_from = "Document")]
pub struct Config {
    pub(super) latency_histogram_buckets: Vec<Duration>,
    pub(super) dimensions: Vec<String>,
    pub(super) store: SpanStoreConfig,
    pub(super) cache_loop: Duration,
    pub(super) store_expiration_loop: Duration,
    pub(super) virtual_node_peer_attributes: Vec<String>,
    pub(super) virtual_node_extra_label: bool,
    pub(super) metrics_flush_interval: Duration,
    pub(super) database_name_attributes: Vec<String>,
}

/// Joins client spans with server spans and emits service graph metrics.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// The upper bounds of the buckets of the latency histograms, in ascending order.
    #[serde(deserialize_with = "durations")]
    #[schemars(with = "Vec<duration::Text>")]
    latency_histogram_buckets: Vec<Duration>,
    /// Resource or span attributes to add to the metrics, as `client_NAME` and `server_NAME`.
    dimensions: Vec<String>,
    store: SpanStoreConfig,
    /// How often to remove metric series that had no call for 15 minutes; 0 means 1m.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    cache_loop: Duration,
    /// How often to expire pending spans; 0 means 2s.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    store_expiration_loop: Duration,
    /// Attributes by which a client span names a server that sends no spans, in order of preference: a
    /// service (`peer.service`, `service.peer.name`), an endpoint (`server.address`, `net.peer.name`), or
    /// any other name. If the list is empty, calls that only one side reports are not counted,
    /// except those to databases.
    virtual_node_peer_attributes: Vec<String>,
    /// Whether to add the label `virtual_node` to the metrics: the side that sent no span, `client` or
    /// `server`.
    virtual_node_extra_label: bool,
    /// How often to emit metrics; 0 means after every batch of spans.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    metrics_flush_interval: Duration,
    /// Attributes by which a client span names a database, in order of preference. (The Collector's default
    /// is only `db.name`.)
    database_name_attributes: Vec<String>,
}

/// The store of pending spans: those whose partner, the span of the other side, has not arrived.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SpanStoreConfig {
    /// How long a span is pending at most.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub(super) ttl: Duration,
    /// The maximum number of pending spans. Beyond it, new spans are not counted and a warning is logged.
    pub(super) max_items: NonZeroUsize,
}

/// The default of `latency_histogram_buckets`, in milliseconds.
const BUCKETS: [u64; 16] = [
    2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000,
];

impl Default for Document {
    fn default() -> Document {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Document {
            latency_histogram_buckets: BUCKETS.map(Duration::from_millis).to_vec(),
            dimensions: Vec::new(),
            store: SpanStoreConfig::default(),
            cache_loop: Duration::from_secs(60),
            store_expiration_loop: Duration::from_secs(2),
            virtual_node_peer_attributes: names(&[
                "peer.service",
                "service.peer.name",
                "db.name",
                "db.system",
                "server.address",
                "net.peer.name",
            ]),
            virtual_node_extra_label: false,
            metrics_flush_interval: Duration::from_secs(60),
            database_name_attributes: names(&[
                "db.name",
                "db.namespace",
                "db.system.name",
                "db.system",
            ]),
        }
    }
}

impl Default for SpanStoreConfig {
    fn default() -> SpanStoreConfig {
        SpanStoreConfig {
            ttl: Duration::from_secs(2),
            max_items: NonZeroUsize::new(1000).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::try_from(Document::default()).expect("the defaults are valid")
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "latency_histogram_buckets must be in ascending order, each bound larger than the one before"
)]
struct InvalidBuckets;

impl TryFrom<Document> for Config {
    type Error = InvalidBuckets;

    fn try_from(document: Document) -> Result<Config, InvalidBuckets> {
        let buckets = document.latency_histogram_buckets;
        if !buckets.is_sorted_by(|bound, next| bound < next) {
            return Err(InvalidBuckets);
        }
        let unless_zero = |interval: Duration, default_secs| match interval {
            Duration::ZERO => Duration::from_secs(default_secs),
            interval => interval,
        };
        Ok(Config {
            latency_histogram_buckets: buckets,
            dimensions: document.dimensions,
            store: document.store,
            cache_loop: unless_zero(document.cache_loop, 60),
            store_expiration_loop: unless_zero(document.store_expiration_loop, 2),
            virtual_node_peer_attributes: document.virtual_node_peer_attributes,
            virtual_node_extra_label: document.virtual_node_extra_label,
            metrics_flush_interval: document.metrics_flush_interval,
            database_name_attributes: document.database_name_attributes,
        })
    }
}

fn durations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parsed = texts.iter().map(|text| duration::parse(text));
    parsed
        .collect::<Result<_, _>>()
        .map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pipeline::config::{LoadContext, load};

    use super::Config;

    /// Parses settings of the form `key=YAML`.
    fn parse(settings: &[&str]) -> Result<Config, String> {
        let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
        let loaded = load(&[], &settings, LoadContext::default());
        loaded.root.decode().map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_equal_those_of_the_collector() {
        let config = Config::default();
        assert_eq!(parse(&["dimensions=[]"]), Ok(config.clone()));
        assert_eq!(config.latency_histogram_buckets.len(), 16);
        assert_eq!(config.store.ttl, Duration::from_secs(2));
        assert_eq!(config.store.max_items.get(), 1000);
        assert_eq!(config.cache_loop, Duration::from_secs(60));
        assert_eq!(config.store_expiration_loop, Duration::from_secs(2));
        assert_eq!(config.metrics_flush_interval, Duration::from_secs(60));
        assert!(!config.virtual_node_extra_label);
    }

    #[test]
    fn a_collector_configuration_is_accepted() {
        let config = parse(&[
            "latency_histogram_buckets=[100us, 1ms, 1.4s]",
            "dimensions=[http.request.method]",
            "store={ttl: 10s, max_items: 7}",
            "cache_loop=0s",
            "metrics_flush_interval=0",
            "database_name_attributes=[db.name]",
        ])
        .unwrap();
        let micros = [100, 1000, 1_400_000].map(Duration::from_micros);
        assert_eq!(config.latency_histogram_buckets, micros);
        assert_eq!(config.store.max_items.get(), 7);
        assert_eq!(config.cache_loop, Duration::from_secs(60));
        assert_eq!(config.metrics_flush_interval, Duration::ZERO);
        assert_eq!(config.database_name_attributes, ["db.name"]);
    }

    #[test]
    fn invalid_settings_are_rejected() {
        for wrong in [
            "latency_histogram_buckets=[5ms, 5ms]",
            "latency_histogram_buckets=[5]",
            "store={max_items: 0}",
            "stores={}",
        ] {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_json_schema_declares_durations() {
        let schema = serde_json::to_string(&schemars::schema_for!(Config)).unwrap();
        assert_eq!(schema.matches(r#""format":"duration""#).count(), 5);
    }
}
