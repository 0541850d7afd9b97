//! The YAML of `otlp_http`: the Collector's keys and defaults.

use std::borrow::Cow;
use std::time::Duration;

use pipeline::config::duration;
use pipeline::tls;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::destination::{Destination, InvalidUrl};
use crate::otlp_client::{Compression, Encoding, Headers, Unsupported};

/// Where OTLP/HTTP is sent.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "Document")]
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

/// Which connections are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connections {
    pub(super) idle_per_host: usize,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) ping_after: Option<Duration>,
    pub(super) ping_timeout: Duration,
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// The URL to which `/v1/traces`, `/v1/metrics` and `/v1/logs` are added.
    endpoint: String,
    /// The whole URL for traces, instead of `endpoint`'s.
    traces_endpoint: String,
    /// The whole URL for metrics, instead of `endpoint`'s.
    metrics_endpoint: String,
    /// The whole URL for logs, instead of `endpoint`'s.
    logs_endpoint: String,
    encoding: EncodingName,
    /// gzip, zstd or none.
    compression: String,
    /// Sent with every request; values are never shown.
    headers: Headers,
    tls: tls::ClientConfig,
    /// Not supported.
    proxy_url: String,
    /// How many connections are kept that nobody uses; 0 is no limit.
    max_idle_conns: usize,
    /// The same for one host; 0 is no limit.
    max_idle_conns_per_host: usize,
    /// How long a connection is kept that nobody uses; 0 is for ever.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    idle_conn_timeout: Duration,
    /// A new connection for every request.
    disable_keep_alives: bool,
    /// HTTP/2: after how long without a word of the peer it is pinged; 0 is never.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    http2_read_idle_timeout: Duration,
    /// HTTP/2: how long to wait for the answer to a ping; 15s where it is 0.
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

impl Default for Document {
    fn default() -> Document {
        Document {
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

/// What the types alone do not say.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("endpoint is missing: set it to a URL such as http://collector:4318")]
    NoEndpoint,
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    #[error(transparent)]
    Compression(#[from] Unsupported),
    #[error("proxy_url is not supported: requests go straight to the endpoint")]
    Proxy,
}

impl TryFrom<Document> for Config {
    type Error = Invalid;

    fn try_from(document: Document) -> Result<Config, Invalid> {
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
            return Err(Invalid::NoEndpoint);
        }
        if !document.proxy_url.is_empty() {
            return Err(Invalid::Proxy);
        }
        Ok(Config {
            traces,
            metrics,
            logs,
            encoding: match document.encoding {
                EncodingName::Proto => Encoding::Protobuf,
                EncodingName::Json => Encoding::Json,
            },
            compression: Compression::named(&document.compression)?,
            connections: Connections::of(&document),
            headers: document.headers,
            tls: document.tls,
        })
    }
}

impl Connections {
    fn of(document: &Document) -> Connections {
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
        Document::json_schema(generator)
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
    fn a_signal_has_its_own_url_or_that_below_the_endpoint() {
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
    fn what_cannot_work_is_an_error_that_names_the_key() {
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
        for (yaml, named) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn connections_are_kept_as_in_the_collector() {
        let kept = |yaml| parse(yaml).unwrap().connections;
        assert_eq!(kept(json!({"endpoint": "http://a"})).idle_per_host, 100);
        let few = json!({"endpoint": "http://a", "max_idle_conns_per_host": 3});
        assert_eq!(kept(few).idle_per_host, 3);
        let none = json!({"endpoint": "http://a", "disable_keep_alives": true});
        assert_eq!(kept(none).idle_per_host, 0);
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
