//! Sends traces, metrics and logs over OTLP/gRPC: to a Collector, to Tempo, to another airdig.
//!
//! ```yaml
//! exporters:
//!   otlp:
//!     endpoint: tempo:4317
//!     tls: {insecure: true}
//!     headers: {x-scope-orgid: "${env:TENANT}"}
//! ```
//!
//! A request that nobody has changed is sent as the bytes it came as. All requests share one HTTP/2
//! connection, which is opened with the first of them and again when it breaks. What an answer
//! means stands in `answer.rs`.

use std::time::Duration;

use async_trait::async_trait;
use http::uri::Authority;
use http::{HeaderMap, Request};
use pipeline::component::{BuildError, ExportError, Exporter, Host, Listening, StartError, Tasks};
use pipeline::registry::{BuildExporter, Described, Stability};
use pipeline::{Batch, Signal, SignalSet};
use rustls::pki_types::ServerName;
use tonic::transport::Channel;
use tower::ServiceExt;

mod answer;
mod config;
mod endpoint;
mod message;
#[cfg(test)]
mod tests;

pub use config::{Config, Invalid, Keepalive};
pub use endpoint::InvalidEndpoint;

use crate::otlp_client::{Connector, Rejections, pieces};
use answer::Answers;

/// gRPC in Go pings no oftener.
const SHORTEST_KEEPALIVE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Otlp {
    config: Config,
    id: String,
    headers: HeaderMap,
    answers: Answers,
    channel: Option<Channel>,
}

impl Described for Otlp {
    const TYPE: &'static str = "otlp";
    const ALIASES: &'static [&'static str] = &["otlp_grpc"];
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "traces, metrics and logs over OTLP/gRPC";
    type Config = Config;
}

impl BuildExporter for Otlp {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY;
    const IDEMPOTENT: bool = false;

    fn build(config: Config, host: &Host) -> Result<Otlp, BuildError> {
        let id = host.id().to_string();
        Ok(Otlp {
            headers: message::headers(&config),
            answers: Answers {
                endpoint: config.endpoint.to_string(),
                headers: config.headers.clone(),
                rejections: Rejections::of(id.clone()),
            },
            channel: None,
            config,
            id,
        })
    }
}

#[async_trait]
impl Exporter for Otlp {
    async fn start(&mut self, _: &mut Tasks) -> Result<Vec<Listening>, StartError> {
        self.channel = Some(self.connect_lazily()?);
        Ok(Vec::new())
    }

    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let channel = self
            .channel
            .clone()
            .expect("the engine starts an exporter before it exports");
        let message = pieces(batch, self.config.compression).await?;
        let mut request = Request::post(path(batch.signal()))
            .version(http::Version::HTTP_2)
            .body(message::frame(message, self.config.compression))
            .expect("the path of an export is a URI");
        request.headers_mut().clone_from(&self.headers);
        let answer = channel.oneshot(request).await;
        let answer = answer.map_err(|error| self.answers.unreachable(error))?;
        self.answers.read(batch, answer).await
    }
}

impl Otlp {
    /// Reads the files of TLS; the destination itself need not be there yet.
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
            let named = authority.as_ref().and_then(|authority| {
                let host = authority.host().to_owned();
                ServerName::try_from(host).ok()
            });
            let name = tls.server_name().cloned().or(named);
            Connector::tls(loaded, name, true)
        };
        let mut channel = Channel::builder(endpoint.uri())
            .user_agent(user_agent.clone())
            .expect("user_agent was checked");
        if let Some(authority) = authority {
            channel = channel.origin(endpoint.uri_of(authority));
        }
        if let Some(pings) = keepalive {
            channel = channel
                .http2_keep_alive_interval(pings.time.max(SHORTEST_KEEPALIVE))
                .keep_alive_timeout(pings.timeout)
                .keep_alive_while_idle(pings.permit_without_stream);
        }
        Ok(channel.connect_with_connector_lazy(connector))
    }

    /// As gRPC has it: who is asked for is the authority, else the name that the certificate must
    /// have.
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
        // Only telemetry is accepted.
        _ => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    }
}
