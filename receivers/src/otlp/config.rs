//! The YAML of `otlp`, with the Collector's keys. A protocol is served if its key is present, even with an
//! empty value.

use std::time::Duration;

use pipeline::config::HostPort;
use pipeline::tls;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

const MIB: u64 = 1 << 20;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(try_from = "OtlpDocument")]
pub struct Config {
    pub(super) grpc: Option<GrpcConfig>,
    pub(super) http: Option<HttpConfig>,
}

/// Receives traces, metrics and logs over OTLP.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct OtlpDocument {
    /// The protocols to serve: at least one of `grpc` and `http`.
    protocols: Protocols,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Protocols {
    #[serde(deserialize_with = "present")]
    grpc: Option<GrpcConfig>,
    #[serde(deserialize_with = "present")]
    http: Option<HttpConfig>,
}

/// OTLP/gRPC.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct GrpcConfig {
    /// `host:port`; port 0 takes any free port.
    pub endpoint: HostPort,
    /// The largest request, in MiB, before and after decompression.
    pub max_recv_msg_size_mib: u64,
    /// The maximum number of concurrent requests on one connection.
    pub max_concurrent_streams: u32,
    /// Plain text when absent.
    pub tls: Option<tls::ServerConfig>,
    /// A key of the Collector without an effect in airdig: no component reads the metadata of a client.
    pub include_metadata: bool,
}

/// OTLP/HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// `host:port`; port 0 takes any free port.
    pub endpoint: HostPort,
    /// The largest body, in bytes, before and after decompression.
    pub max_request_body_size: u64,
    /// Which web pages may send data; if absent, no page may.
    pub cors: Option<CorsConfig>,
    pub traces_url_path: String,
    pub metrics_url_path: String,
    pub logs_url_path: String,
    /// Plain text when absent.
    pub tls: Option<tls::ServerConfig>,
    /// A key of the Collector without an effect in airdig: no component reads the metadata of a client.
    pub include_metadata: bool,
}

/// Cross-origin requests.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// Origins such as `https://shop.example`. The first `*` in an origin stands for any text.
    pub allowed_origins: Vec<String>,
    /// Request headers besides the always allowed Accept, Accept-Language, Content-Language and
    /// Content-Type; `*` allows all.
    pub allowed_headers: Vec<String>,
    /// How long a browser may cache the preflight response, in seconds; with 0, the browser decides.
    pub max_age: u32,
}

impl Default for GrpcConfig {
    fn default() -> GrpcConfig {
        GrpcConfig {
            endpoint: localhost(4317),
            max_recv_msg_size_mib: 20,
            max_concurrent_streams: 256,
            tls: None,
            include_metadata: false,
        }
    }
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig {
            endpoint: localhost(4318),
            max_request_body_size: 20 * MIB,
            cors: None,
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            logs_url_path: "/v1/logs".to_owned(),
            tls: None,
            include_metadata: false,
        }
    }
}

impl GrpcConfig {
    /// The largest request in bytes.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.max_recv_msg_size_mib * MIB).unwrap_or(usize::MAX)
    }
}

impl HttpConfig {
    /// The largest body in bytes.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.max_request_body_size).unwrap_or(usize::MAX)
    }
}

impl CorsConfig {
    pub(super) fn max_age(&self) -> Option<Duration> {
        (self.max_age > 0).then(|| Duration::from_secs(u64::from(self.max_age)))
    }
}

/// A setting has a value of the right type that the receiver does not accept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtlpConfigError {
    #[error(
        "must specify at least one protocol when using the OTLP receiver: set protocols.grpc or \
         protocols.http"
    )]
    NoProtocol,
    #[error("protocols.grpc.max_recv_msg_size_mib must be from 1 to 4095, not {0}")]
    MessageSize(u64),
    #[error("protocols.grpc.max_concurrent_streams must be at least 1")]
    Streams,
    #[error(
        "protocols.http.max_request_body_size must be at least 1 byte and below 4 GiB, not {0}"
    )]
    BodySize(u64),
    #[error("protocols.http.{key} {path:?} must begin with '/'")]
    Path { key: &'static str, path: String },
    #[error("protocols.http uses the path {0:?} for more than one signal")]
    SamePath(String),
    #[error("protocols.http.cors.allowed_headers: invalid header name {0:?}")]
    Header(String),
}

impl TryFrom<OtlpDocument> for Config {
    type Error = OtlpConfigError;

    fn try_from(document: OtlpDocument) -> Result<Config, OtlpConfigError> {
        let Protocols { grpc, http } = document.protocols;
        if grpc.is_none() && http.is_none() {
            return Err(OtlpConfigError::NoProtocol);
        }
        if let Some(grpc) = &grpc {
            if !(1..4096).contains(&grpc.max_recv_msg_size_mib) {
                return Err(OtlpConfigError::MessageSize(grpc.max_recv_msg_size_mib));
            }
            if grpc.max_concurrent_streams == 0 {
                return Err(OtlpConfigError::Streams);
            }
        }
        if let Some(http) = &http {
            check_http(http)?;
        }
        Ok(Config { grpc, http })
    }
}

fn check_http(http: &HttpConfig) -> Result<(), OtlpConfigError> {
    if !(1..4096 * MIB).contains(&http.max_request_body_size) {
        return Err(OtlpConfigError::BodySize(http.max_request_body_size));
    }
    let paths = [
        ("traces_url_path", &http.traces_url_path),
        ("metrics_url_path", &http.metrics_url_path),
        ("logs_url_path", &http.logs_url_path),
    ];
    for (index, (key, path)) in paths.into_iter().enumerate() {
        if !path.starts_with('/') {
            return Err(OtlpConfigError::Path {
                key,
                path: path.clone(),
            });
        }
        if paths[..index].iter().any(|(_, other)| *other == path) {
            return Err(OtlpConfigError::SamePath(path.clone()));
        }
    }
    let headers = http.cors.iter().flat_map(|cors| &cors.allowed_headers);
    match headers
        .filter(|name| *name != "*")
        .find(|name| name.parse::<http::HeaderName>().is_err())
    {
        Some(name) => Err(OtlpConfigError::Header(name.clone())),
        None => Ok(()),
    }
}

fn localhost(port: u16) -> HostPort {
    let endpoint = format!("localhost:{port}");
    endpoint
        .parse()
        .expect("the endpoint has a host and a port")
}

/// Deserializes a present key with an empty value as the defaults.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(|value| Some(value.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Config, GrpcConfig, HttpConfig};

    fn parse(yaml: Value) -> Result<Config, String> {
        serde_json::from_value(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn protocol_is_served_if_its_key_is_present() {
        let both = parse(json!({"protocols": {"grpc": null, "http": {}}})).unwrap();
        assert_eq!(both.grpc, Some(GrpcConfig::default()));
        assert_eq!(both.http, Some(HttpConfig::default()));
        let one = parse(json!({"protocols": {"http": {"endpoint": "0.0.0.0:1"}}})).unwrap();
        assert_eq!(one.grpc, None);
        assert_eq!(one.http.unwrap().endpoint.as_str(), "0.0.0.0:1");
    }

    #[test]
    fn config_without_a_protocol_is_rejected() {
        for none in [json!({}), json!({"protocols": {}})] {
            assert_eq!(
                parse(none).unwrap_err(),
                "must specify at least one protocol when using the OTLP receiver: \
                 set protocols.grpc or protocols.http"
            );
        }
    }

    #[test]
    fn endpoint_without_a_port_is_rejected() {
        for protocol in ["grpc", "http"] {
            let error = parse(json!({"protocols": {protocol: {"endpoint": "localhost"}}}));
            assert!(error.unwrap_err().contains("expected host:port"));
        }
    }

    #[test]
    fn invalid_value_is_rejected_with_its_key() {
        let wrong = [
            (
                json!({"grpc": {"max_recv_msg_size_mib": 0}}),
                "max_recv_msg_size_mib",
            ),
            (
                json!({"grpc": {"max_concurrent_streams": 0}}),
                "max_concurrent_streams",
            ),
            (
                json!({"http": {"max_request_body_size": 0}}),
                "max_request_body_size",
            ),
            (json!({"http": {"logs_url_path": "logs"}}), "logs_url_path"),
            (
                json!({"http": {"logs_url_path": "/v1/traces"}}),
                "more than one signal",
            ),
            (
                json!({"http": {"cors": {"allowed_headers": ["a b"]}}}),
                "allowed_headers",
            ),
            (json!({"grpc": {"tls": {}}}), "cert_file and key_file"),
            (
                json!({"http": {"tls": {"cert_file": "a", "key_file": "b", "ca": ""}}}),
                "unknown field `ca`",
            ),
            (json!({"udp": {}}), "unknown field `udp`"),
        ];
        for (protocols, expected) in wrong {
            let error = parse(json!({"protocols": protocols})).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn schema_has_the_keys_of_the_yaml() {
        let schema = schemars::schema_for!(Config);
        assert!(schema.get("properties").unwrap().get("protocols").is_some());
    }
}
