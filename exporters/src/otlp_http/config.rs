//! The configuration of `otlp_http`, with the Collector's keys and defaults.

use std::borrow::Cow;
use std::time::Duration;

use pipeline::config::duration;
use pipeline::tls;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::destination::{Destination, InvalidUrl};
use crate::otlp_client::{Compression, Encoding, Headers, UnsupportedCompression};

/// The checked configuration of the exporter `otlp_http`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "OtlpHttpYaml")]
pub struct Config {
    pub(super) traces: Option<Destination>,
    pub(super) metrics: Option<Destination>,
    pub(super) logs: Option<Destination>,
    pub(super) encoding: Encoding,
    pub(super) compression: Compression,
    pub(super) headers: Headers,
    pub(super) tls: tls::ClientConfig,
    pub(super) connections: Connections,
}

/// How connections are pooled and kept alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connections {
    pub(super) idle_per_host: usize,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) ping_after: Option<Duration>,
    pub(super) ping_timeout: Duration,
}

/// The configuration as it is written in YAML.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct OtlpHttpYaml {
    /// The base URL, to which `/v1/traces`, `/v1/metrics` or `/v1/logs` is appended.
    endpoint: String,
    /// The full URL for traces; overrides `endpoint`.
    traces_endpoint: String,
    /// The full URL for metrics; overrides `endpoint`.
    metrics_endpoint: String,
    /// The full URL for logs; overrides `endpoint`.
    logs_endpoint: String,
    /// The encoding of OTLP: `proto` or `json`.
    encoding: EncodingName,
    /// The compression of requests: gzip, zstd or none.
    compression: String,
    /// Headers of every request; values are never logged.
    headers: Headers,
    tls: tls::ClientConfig,
    /// Not supported.
    proxy_url: String,
    /// The maximum number of idle connections; 0 means no limit. This limit applies to each host.
    max_idle_conns: usize,
    /// The maximum number of idle connections per host; 0 means no limit.
    max_idle_conns_per_host: usize,
    /// How long an idle connection is kept open; 0 means forever.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    idle_conn_timeout: Duration,
    /// Open a new connection for every request.
    disable_keep_alives: bool,
    /// HTTP/2: the time without data from the peer after which a ping is sent; 0 disables pings.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    http2_read_idle_timeout: Duration,
    /// HTTP/2: the timeout for the response to a ping; 0 means 15s.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    http2_ping_timeout: Duration,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum EncodingName {
    #[default]
    Proto,
    Json,
}

impl Default for OtlpHttpYaml {
    fn default() -> OtlpHttpYaml {
        OtlpHttpYaml {
            endpoint: String::new(),
            traces_endpoint: String::new(),
            metrics_endpoint: String::new(),
            logs_endpoint: String::new(),
            encoding: EncodingName::Proto,
            compression: "gzip".to_owned(),
            headers: Headers::default(),
            tls: tls::ClientConfig::default(),
            proxy_url: String::new(),
            max_idle_conns: 100,
            max_idle_conns_per_host: 0,
            idle_conn_timeout: Duration::from_secs(90),
            disable_keep_alives: false,
            http2_read_idle_timeout: Duration::ZERO,
            http2_ping_timeout: Duration::ZERO,
        }
    }
}

/// Why a configuration is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtlpHttpConfigError {
    #[error("endpoint is missing: set it to a URL such as http://collector:4318")]
    NoEndpoint,
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    #[error(transparent)]
    Compression(#[from] UnsupportedCompression),
    #[error("proxy_url is not supported: remove the key; requests go directly to the endpoint")]
    Proxy,
}

impl TryFrom<OtlpHttpYaml> for Config {
    type Error = OtlpHttpConfigError;

    fn try_from(document: OtlpHttpYaml) -> Result<Config, OtlpHttpConfigError> {
        let base = &document.endpoint;
        let destination = |key, url: &str, path| match (url, &**base) {
            ("", "") => Ok(None),
            ("", base) => Destination::below(base, path).map(Some),
            (url, _) => Destination::parse(key, path, url).map(Some),
        };
        let traces = destination("traces_endpoint", &document.traces_endpoint, "/v1/traces")?;
        let metrics = destination(
            "metrics_endpoint",
            &document.metrics_endpoint,
            "/v1/metrics",
        )?;
        let logs = destination("logs_endpoint", &document.logs_endpoint, "/v1/logs")?;
        if traces.is_none() && metrics.is_none() && logs.is_none() {
            return Err(OtlpHttpConfigError::NoEndpoint);
        }
        if !document.proxy_url.is_empty() {
            return Err(OtlpHttpConfigError::Proxy);
        }
        Ok(Config {
            traces,
            metrics,
            logs,
            encoding: match document.encoding {
                EncodingName::Proto => Encoding::Protobuf,
                EncodingName::Json => Encoding::Json,
            },
            compression: Compression::from_name(&document.compression)?,
            connections: Connections::of(&document),
            headers: document.headers,
            tls: document.tls,
        })
    }
}

impl Connections {
    fn of(document: &OtlpHttpYaml) -> Connections {
        let no_limit = |count| if count == 0 { usize::MAX } else { count };
        let idle = no_limit(document.max_idle_conns);
        let idle_per_host = idle.min(no_limit(document.max_idle_conns_per_host));
        let unless_zero = |time: Duration| Some(time).filter(|time| !time.is_zero());
        let ping_timeout = unless_zero(document.http2_ping_timeout);
        Connections {
            idle_per_host: if document.disable_keep_alives {
                0
            } else {
                idle_per_host
            },
            idle_timeout: unless_zero(document.idle_conn_timeout),
            ping_after: unless_zero(document.http2_read_idle_timeout),
            ping_timeout: ping_timeout.unwrap_or(Duration::from_secs(15)),
        }
    }
}

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "OtlpHttp".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OtlpHttpYaml::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Config;

    fn parse(yaml: Value) -> Result<Config, String> {
        serde_json::from_value(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_signal_uses_its_own_url_or_a_path_below_the_endpoint() {
        let config = parse(json!({
            "endpoint": "http://a:4318/",
            "logs_endpoint": "https://loki/otlp/v1/logs",
        }))
        .unwrap();
        let shown = |destination: Option<_>| format!("{:?}", destination.unwrap());
        assert_eq!(shown(config.traces), "http://a:4318/v1/traces");
        assert_eq!(shown(config.metrics), "http://a:4318/v1/metrics");
        assert_eq!(shown(config.logs), "https://loki/otlp/v1/logs");
        let only = parse(json!({"traces_endpoint": "http://a:4318/v1/traces"})).unwrap();
        assert_eq!((only.metrics, only.logs), (None, None));
    }

    #[test]
    fn the_error_for_an_invalid_value_names_the_key() {
        let with = |key: &str, value: Value| json!({"endpoint": "http://a:1", key: value});
        let wrong = [
            (json!({}), "endpoint is missing"),
            (json!({"endpoint": "a:4318"}), "endpoint is not a URL"),
            (with("logs_endpoint", json!("a")), "logs_endpoint"),
            (with("compression", json!("snappy")), "\"snappy\""),
            (with("encoding", json!("thrift")), "thrift"),
            (with("proxy_url", json!("http://b")), "proxy_url"),
            (with("auth", json!({})), "unknown field `auth`"),
        ];
        for (yaml, expected) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn idle_connections_are_limited_as_in_the_collector() {
        let connections = |yaml| parse(yaml).unwrap().connections;
        assert_eq!(
            connections(json!({"endpoint": "http://a"})).idle_per_host,
            100
        );
        let few = json!({"endpoint": "http://a", "max_idle_conns_per_host": 3});
        assert_eq!(connections(few).idle_per_host, 3);
        let none = json!({"endpoint": "http://a", "disable_keep_alives": true});
        assert_eq!(connections(none).idle_per_host, 0);
    }

    #[test]
    fn secrets_are_not_shown() {
        let yaml = json!({
            "endpoint": "http://me:hunter2@a:1",
            "headers": {"x-key": "hunter2"},
        });
        assert!(!format!("{:?}", parse(yaml).unwrap()).contains("hunter2"));
    }
}
