//! The configuration of `otlp`, with the Collector's keys and defaults.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderValue;
use http::uri::Authority;
use pipeline::config::duration;
use pipeline::tls;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::endpoint::{Endpoint, InvalidEndpoint};
use crate::otlp_client::{Compression, Headers, USER_AGENT, UnsupportedCompression};

/// The checked configuration of the exporter `otlp`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "OtlpYaml")]
pub struct Config {
    pub(super) endpoint: Endpoint,
    pub(super) compression: Compression,
    pub(super) headers: Headers,
    pub(super) tls: tls::ClientConfig,
    pub(super) keepalive: Option<Keepalive>,
    pub(super) authority: Option<Authority>,
    pub(super) user_agent: HeaderValue,
}

/// The configuration as it is written in YAML.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct OtlpYaml {
    /// The destination: `host:port`; `http://host:port` for plain text, `https://host:port` for TLS.
    endpoint: String,
    /// The compression of requests: gzip, zstd or none.
    compression: String,
    /// Headers of every request; values are never logged.
    headers: Headers,
    tls: tls::ClientConfig,
    /// HTTP/2 pings that detect a dead peer; no pings if not set.
    keepalive: Option<Keepalive>,
    /// Only `pick_first`: one connection, to the first address that accepts it.
    balancer_name: String,
    /// Only false: an attempt that cannot connect fails, and `retry_on_failure` retries it.
    wait_for_ready: bool,
    /// The `:authority` of requests; the endpoint by default.
    authority: String,
    /// The `User-Agent` of requests.
    user_agent: String,
}

/// HTTP/2 pings. Servers close connections that ping too often: servers in Go accept one ping per 5 minutes by
/// default.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Keepalive {
    /// The time without data from the peer after which a ping is sent. A value below 10s is raised to 10s.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub time: Duration,
    /// The timeout for the response to a ping.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub timeout: Duration,
    /// Also send pings while no request is in flight.
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

impl Default for OtlpYaml {
    fn default() -> OtlpYaml {
        OtlpYaml {
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

/// Why a configuration is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtlpExporterConfigError {
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    #[error(transparent)]
    Compression(#[from] UnsupportedCompression),
    #[error(
        "balancer_name {0:?} is not supported: remove the key to use one connection (pick_first), or put a load \
         balancer in front of the destination"
    )]
    Balancer(String),
    #[error(
        "wait_for_ready is not supported: remove the key; an attempt that cannot connect fails, and \
         retry_on_failure retries it"
    )]
    WaitForReady,
    #[error("authority {0:?} is not host or host:port")]
    Authority(String),
    #[error("user_agent has characters that are not valid in a header")]
    UserAgent,
    #[error("keepalive.timeout must be more than 0")]
    KeepaliveTimeout,
}

impl TryFrom<OtlpYaml> for Config {
    type Error = OtlpExporterConfigError;

    fn try_from(document: OtlpYaml) -> Result<Config, OtlpExporterConfigError> {
        let endpoint = Endpoint::parse(&document.endpoint, document.tls.is_plain_text())?;
        if !matches!(&*document.balancer_name, "" | "pick_first") {
            return Err(OtlpExporterConfigError::Balancer(document.balancer_name));
        }
        if document.wait_for_ready {
            return Err(OtlpExporterConfigError::WaitForReady);
        }
        let authority = Some(document.authority).filter(|authority| !authority.is_empty());
        let authority = authority.map(|text| {
            text.parse()
                .map_err(|_| OtlpExporterConfigError::Authority(text))
        });
        let keepalive = document.keepalive;
        if keepalive
            .as_ref()
            .is_some_and(|pings| pings.timeout.is_zero())
        {
            return Err(OtlpExporterConfigError::KeepaliveTimeout);
        }
        Ok(Config {
            endpoint,
            compression: Compression::from_name(&document.compression)?,
            headers: document.headers,
            tls: document.tls,
            keepalive,
            authority: authority.transpose()?,
            user_agent: document
                .user_agent
                .try_into()
                .map_err(|_| OtlpExporterConfigError::UserAgent)?,
        })
    }
}

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "Otlp".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OtlpYaml::json_schema(generator)
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
    fn only_the_endpoint_is_required() {
        let config = parse(json!({"endpoint": "tempo:4317"})).unwrap();
        assert_eq!(config.endpoint.to_string(), "https://tempo:4317");
        assert_eq!(config.compression, Compression::Gzip);
        assert_eq!(config.keepalive, None);
        assert!(config.user_agent.to_str().unwrap().starts_with("airdig/"));
        let plain = parse(json!({"endpoint": "tempo:4317", "tls": {"insecure": true}})).unwrap();
        assert_eq!(plain.endpoint.to_string(), "http://tempo:4317");
    }

    #[test]
    fn the_error_for_an_invalid_value_names_the_key() {
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
        for (yaml, expected) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_json_schema_has_the_keys_of_the_yaml() {
        let schema = schemars::schema_for!(Config);
        assert!(schema.get("properties").unwrap().get("endpoint").is_some());
    }

    #[test]
    fn secrets_are_not_shown() {
        let yaml = json!({"endpoint": "a:1", "headers": {"authorization": "Bearer hunter2"}});
        assert!(!format!("{:?}", parse(yaml).unwrap()).contains("hunter2"));
    }
}
