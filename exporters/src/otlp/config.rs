//! The YAML of `otlp`: the Collector's keys and defaults.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderValue;
use http::uri::Authority;
use pipeline::config::duration;
use pipeline::tls;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::endpoint::{Endpoint, InvalidEndpoint};
use crate::otlp_client::{Compression, Headers, USER_AGENT, Unsupported};

/// Where OTLP/gRPC is sent.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "Document")]
pub struct Config {
    pub(super) endpoint: Endpoint,
    pub(super) compression: Compression,
    pub(super) headers: Headers,
    pub(super) tls: tls::ClientConfig,
    pub(super) keepalive: Option<Keepalive>,
    pub(super) authority: Option<Authority>,
    pub(super) user_agent: HeaderValue,
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// `host:port`; `http://host:port` is plain text, `https://host:port` is TLS.
    endpoint: String,
    /// gzip, zstd or none.
    compression: String,
    /// Sent with every request; values are never shown.
    headers: Headers,
    tls: tls::ClientConfig,
    /// Pings that find a peer which vanished without a word; none when absent.
    keepalive: Option<Keepalive>,
    /// `pick_first`: one connection, to the first address that answers.
    balancer_name: String,
    /// Only false: an attempt that cannot connect fails, and is made again by `retry_on_failure`.
    wait_for_ready: bool,
    /// The `:authority` of requests, instead of the endpoint.
    authority: String,
    user_agent: String,
}

/// HTTP/2 pings. Servers close connections that ping oftener than they like: those in Go every 5
/// minutes at most, if they are not told otherwise.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Keepalive {
    /// After how long without a word of the peer; 10s at least.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub time: Duration,
    /// How long to wait for the answer.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub timeout: Duration,
    /// Also while no request is under way.
    pub permit_without_stream: bool,
}

impl Default for Keepalive {
    fn default() -> Keepalive {
        Keepalive {
            time: Duration::from_secs(10),
            timeout: Duration::from_secs(10),
            permit_without_stream: false,
        }
    }
}

impl Default for Document {
    fn default() -> Document {
        Document {
            endpoint: String::new(),
            compression: "gzip".to_owned(),
            headers: Headers::default(),
            tls: tls::ClientConfig::default(),
            keepalive: None,
            balancer_name: String::new(),
            wait_for_ready: false,
            authority: String::new(),
            user_agent: USER_AGENT.to_owned(),
        }
    }
}

/// What the types alone do not say.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    #[error(transparent)]
    Compression(#[from] Unsupported),
    #[error(
        "balancer_name {0:?} is not supported: one connection is kept, to the first address that \
         answers; leave the key out, or put a balancer in front of the destination"
    )]
    Balancer(String),
    #[error(
        "wait_for_ready is not supported: an attempt that cannot connect fails at once, and \
         retry_on_failure makes it again"
    )]
    WaitForReady,
    #[error("authority {0:?} is not host or host:port")]
    Authority(String),
    #[error("user_agent has characters that a header cannot hold")]
    UserAgent,
    #[error("keepalive.timeout must be more than 0")]
    KeepaliveTimeout,
}

impl TryFrom<Document> for Config {
    type Error = Invalid;

    fn try_from(document: Document) -> Result<Config, Invalid> {
        let endpoint = Endpoint::parse(&document.endpoint, document.tls.is_plain_text())?;
        if !matches!(&*document.balancer_name, "" | "pick_first") {
            return Err(Invalid::Balancer(document.balancer_name));
        }
        if document.wait_for_ready {
            return Err(Invalid::WaitForReady);
        }
        let authority = Some(document.authority).filter(|authority| !authority.is_empty());
        let authority = authority.map(|text| text.parse().map_err(|_| Invalid::Authority(text)));
        let keepalive = document.keepalive;
        if keepalive
            .as_ref()
            .is_some_and(|pings| pings.timeout.is_zero())
        {
            return Err(Invalid::KeepaliveTimeout);
        }
        Ok(Config {
            endpoint,
            compression: Compression::named(&document.compression)?,
            headers: document.headers,
            tls: document.tls,
            keepalive,
            authority: authority.transpose()?,
            user_agent: document
                .user_agent
                .try_into()
                .map_err(|_| Invalid::UserAgent)?,
        })
    }
}

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "Otlp".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Document::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Config;
    use crate::otlp_client::Compression;

    fn parse(yaml: Value) -> Result<Config, String> {
        serde_json::from_value(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn an_endpoint_is_all_that_is_needed() {
        let config = parse(json!({"endpoint": "tempo:4317"})).unwrap();
        assert_eq!(config.endpoint.to_string(), "https://tempo:4317");
        assert_eq!(config.compression, Compression::Gzip);
        assert_eq!(config.keepalive, None);
        assert!(config.user_agent.to_str().unwrap().starts_with("airdig/"));
        let plain = parse(json!({"endpoint": "tempo:4317", "tls": {"insecure": true}})).unwrap();
        assert_eq!(plain.endpoint.to_string(), "http://tempo:4317");
    }

    #[test]
    fn what_cannot_work_is_an_error_that_names_the_key() {
        let with = |key: &str, value: Value| json!({"endpoint": "a:1", key: value});
        let wrong = [
            (json!({}), "endpoint is missing"),
            (json!({"endpoint": "tempo"}), "endpoint \"tempo\""),
            (
                with("compression", json!("snappy")),
                "use gzip, zstd or none",
            ),
            (with("balancer_name", json!("round_robin")), "balancer_name"),
            (with("wait_for_ready", json!(true)), "wait_for_ready"),
            (with("authority", json!("a b")), "authority"),
            (with("user_agent", json!("a\nb")), "user_agent"),
            (
                with("keepalive", json!({"timeout": "0s"})),
                "keepalive.timeout",
            ),
            (with("auth", json!({})), "unknown field `auth`"),
            (
                with("tls", json!({"cert_file": "a"})),
                "cert_file without key_file",
            ),
        ];
        for (yaml, named) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_schema_is_that_of_the_document() {
        let schema = schemars::schema_for!(Config);
        assert!(schema.get("properties").unwrap().get("endpoint").is_some());
    }

    #[test]
    fn secrets_are_not_shown() {
        let yaml = json!({"endpoint": "a:1", "headers": {"authorization": "Bearer hunter2"}});
        assert!(!format!("{:?}", parse(yaml).unwrap()).contains("hunter2"));
    }
}
