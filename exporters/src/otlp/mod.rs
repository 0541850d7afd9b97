//! Sends traces, metrics and logs over OTLP/gRPC, for example to a Collector, Tempo or another airdig.
//!
//! ```yaml
//! exporters:
//!   otlp:
//!     endpoint: tempo:4317
//!     tls: {insecure: true}
//!     headers: {x-scope-orgid: "${env:TENANT}"}
//! ```
//!
//! An unchanged batch is sent as the bytes of its original request. All requests share one HTTP/2 connection. The
//! exporter opens the connection for the first request, and again for the next request after the connection broke.
//! `response.rs` lists the outcome of each response.

use std::time::Duration;

use async_trait::async_trait;
use http::uri::Authority;
use http::{HeaderMap, Request};
use pipeline::component::{
    BuildError, ExportError, Exporter, Host, ListenAddress, StartError, Tasks,
};
use pipeline::registry::{BuildExporter, ComponentMeta, Stability};
use pipeline::{Batch, Signal, SignalSet};
use rustls::pki_types::ServerName;
use tonic::transport::Channel;
use tower::ServiceExt;

mod config;
mod endpoint;
mod message;
mod response;
#[cfg(test)]
mod tests;

pub use config::{Config, Keepalive, OtlpExporterConfigError};
pub use endpoint::InvalidEndpoint;

use crate::otlp_client::{BodyEncoder, Connector, Encoding, HttpVersions, Rejections};
use response::GrpcResponseReader;

/// The shortest interval of pings in grpc-go.
const MIN_KEEPALIVE: Duration = Duration::from_secs(10);

/// Sends telemetry over OTLP/gRPC.
#[derive(Debug)]
pub struct Otlp {
    config: Config,
    id: String,
    headers: HeaderMap,
    response_reader: GrpcResponseReader,
    encoder: BodyEncoder,
    channel: Option<Channel>,
}

impl ComponentMeta for Otlp {
    const TYPE: &'static str = "otlp";
    const ALIASES: &'static [&'static str] = &["otlp_grpc"];
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "sends traces, metrics, logs over OTLP/gRPC, to a Collector, Tempo or another airdig";
    type Config = Config;
}

impl BuildExporter for Otlp {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY;
    const IDEMPOTENT: bool = false;

    fn build(config: Config, host: &Host) -> Result<Otlp, BuildError> {
        let id = host.id().to_string();
        Ok(Otlp {
            headers: message::headers(&config),
            response_reader: GrpcResponseReader {
                endpoint: config.endpoint.to_string(),
                headers: config.headers.clone(),
                rejections: Rejections::of(id.clone()),
            },
            encoder: BodyEncoder::new(Encoding::Protobuf, config.compression),
            channel: None,
            config,
            id,
        })
    }
}

#[async_trait]
impl Exporter for Otlp {
    async fn start(&mut self, _: &mut Tasks) -> Result<Vec<ListenAddress>, StartError> {
        self.channel = Some(self.connect_lazily()?);
        Ok(Vec::new())
    }

    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let channel = self
            .channel
            .clone()
            .expect("the engine starts an exporter before it exports");
        let message = self.encoder.body_parts(batch).await?;
        let mut request = Request::post(path(batch.signal()))
            .version(http::Version::HTTP_2)
            .body(message::frame(message, self.config.compression))
            .expect("the path of an export is a URI");
        request.headers_mut().clone_from(&self.headers);
        let response = channel.oneshot(request).await;
        let response = response.map_err(|error| self.response_reader.transport_error(error))?;
        self.response_reader.read(batch, response).await
    }
}

impl Otlp {
    /// Loads the TLS files. The connection opens with the first request, so the destination may start after airdig.
    fn connect_lazily(&self) -> Result<Channel, StartError> {
        let Config {
            endpoint,
            tls,
            keepalive,
            user_agent,
            ..
        } = &self.config;
        let authority = self.authority();
        let connector = if endpoint.is_plain() {
            Connector::plain()
        } else {
            let loaded = tls.load(&format!("exporters.{}.tls", self.id))?;
            let authority_name = authority.as_ref().and_then(|authority| {
                let host = authority.host().to_owned();
                ServerName::try_from(host).ok()
            });
            let name = tls.server_name().cloned().or(authority_name);
            Connector::tls(loaded, name, HttpVersions::OnlyHttp2)
        };
        let mut channel = Channel::builder(endpoint.uri())
            .user_agent(user_agent.clone())
            .expect("user_agent was checked");
        if let Some(authority) = authority {
            channel = channel.origin(endpoint.uri_with_authority(authority));
        }
        if let Some(pings) = keepalive {
            channel = channel
                .http2_keep_alive_interval(pings.time.max(MIN_KEEPALIVE))
                .keep_alive_timeout(pings.timeout)
                .keep_alive_while_idle(pings.permit_without_stream);
        }
        Ok(channel.connect_with_connector_lazy(connector))
    }

    /// The `:authority` of requests, if it differs from the endpoint. As in gRPC, it is the configured `authority` or,
    /// for TLS without that key, the `server_name_override`.
    fn authority(&self) -> Option<Authority> {
        if self.config.authority.is_some() || self.config.endpoint.is_plain() {
            return self.config.authority.clone();
        }
        let name = self.config.tls.server_name()?.to_str();
        name.parse().ok()
    }
}

fn path(signal: Signal) -> &'static str {
    match signal {
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        // The exporter accepts only telemetry, so the signal is traces.
        _ => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    }
}
