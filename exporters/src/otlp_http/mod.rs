//! Sends traces, metrics and logs over OTLP/HTTP, for example to a Collector, Loki or Prometheus.
//!
//! ```yaml
//! exporters:
//!   otlp_http:
//!     endpoint: http://collector:4318
//!   otlp_http/prometheus:
//!     metrics_endpoint: http://prometheus:9090/api/v1/otlp/v1/metrics
//! ```
//!
//! An unchanged batch is sent as the bytes of its original request. The exporter uses HTTP/1.1, or HTTP/2 if a server
//! with TLS selects it. `response.rs` lists the outcome of each response.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pipeline::component::{
    BuildError, ExportError, Exporter, Host, ListenAddress, StartError, Tasks,
};
use pipeline::registry::{BuildExporter, ComponentMeta, Stability};
use pipeline::{Batch, Signal, SignalSet};

mod config;
mod destination;
mod response;
#[cfg(test)]
mod tests;

pub use config::{Config, OtlpHttpConfigError};
pub use destination::InvalidUrl;

use crate::otlp_client::{BodyEncoder, Connector, Encoding, HttpVersions, Rejections, USER_AGENT};
use destination::Destination;
use response::HttpResponseReader;

/// Sends telemetry over OTLP/HTTP.
#[derive(Debug)]
pub struct OtlpHttp {
    config: Config,
    id: String,
    headers: HeaderMap,
    response_reader: HttpResponseReader,
    encoder: BodyEncoder,
    client: Option<Client<Connector, Full<Bytes>>>,
}

impl ComponentMeta for OtlpHttp {
    const TYPE: &'static str = "otlp_http";
    const ALIASES: &'static [&'static str] = &["otlphttp"];
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "sends traces, metrics, logs over OTLP/HTTP, also to Loki and Prometheus";
    type Config = Config;
}

impl BuildExporter for OtlpHttp {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY;
    const IDEMPOTENT: bool = false;

    fn build(config: Config, host: &Host) -> Result<OtlpHttp, BuildError> {
        let id = host.id().to_string();
        Ok(OtlpHttp {
            headers: headers(&config),
            response_reader: HttpResponseReader {
                headers: config.headers.clone(),
                rejections: Rejections::of(id.clone()),
            },
            encoder: BodyEncoder::new(config.encoding, config.compression),
            client: None,
            config,
            id,
        })
    }
}

#[async_trait]
impl Exporter for OtlpHttp {
    /// Loads the TLS files. Connections open with requests, so the destination may start after airdig.
    async fn start(&mut self, _: &mut Tasks) -> Result<Vec<ListenAddress>, StartError> {
        let Config {
            traces,
            metrics,
            logs,
            tls,
            connections,
            ..
        } = &self.config;
        let mut destinations = [traces, metrics, logs].into_iter().flatten();
        let connector = if destinations.all(Destination::is_plain) {
            Connector::plain()
        } else {
            let loaded = tls.load(&format!("exporters.{}.tls", self.id))?;
            Connector::tls(loaded, tls.server_name().cloned(), HttpVersions::Any)
        };
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(connections.idle_per_host)
            .pool_idle_timeout(connections.idle_timeout)
            .http2_keep_alive_interval(connections.ping_after)
            .http2_keep_alive_timeout(connections.ping_timeout)
            .build(connector);
        self.client = Some(client);
        Ok(Vec::new())
    }

    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let client = self
            .client
            .as_ref()
            .expect("the engine starts an exporter before it exports");
        let destination = self.destination(batch.signal())?;
        let body = self.encoder.body(batch).await?;
        let mut request = Request::post(destination.uri())
            .body(Full::new(body))
            .expect("the configuration was checked");
        request.headers_mut().clone_from(&self.headers);
        if let Some(authorization) = destination.authorization() {
            let headers = request.headers_mut();
            headers
                .entry(header::AUTHORIZATION)
                .or_insert_with(|| authorization.clone());
        }
        match client.request(request).await {
            Ok(response) => {
                self.response_reader
                    .read(batch, destination, response)
                    .await
            }
            Err(error) => Err(response::transport_error(destination, error)),
        }
    }
}

impl OtlpHttp {
    /// The URL for a signal.
    ///
    /// # Errors
    /// Permanent, if no URL is configured for the signal.
    fn destination(&self, signal: Signal) -> Result<&Destination, ExportError> {
        let (destination, key) = match signal {
            Signal::Metrics => (&self.config.metrics, "metrics_endpoint"),
            Signal::Logs => (&self.config.logs, "logs_endpoint"),
            _ => (&self.config.traces, "traces_endpoint"),
        };
        destination.as_ref().ok_or_else(|| ExportError::Permanent {
            reason: format!(
                "no endpoint for {signal}: set endpoint or {key} of exporters.{}",
                self.id
            ),
            source: None,
        })
    }
}

/// The headers of every request.
fn headers(config: &Config) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in config.headers.iter() {
        headers.insert(name, value.clone());
    }
    let content_type = match config.encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(coding) = config.compression.header() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    headers
}
