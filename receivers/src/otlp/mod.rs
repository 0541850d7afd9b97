//! Receives traces, metrics and logs over OTLP/gRPC and OTLP/HTTP.
//!
//! ```yaml
//! receivers:
//!   otlp:
//!     protocols:
//!       grpc: {endpoint: 0.0.0.0:4317}
//!       http:
//!         endpoint: 0.0.0.0:4318
//!         cors: {allowed_origins: ["https://*.example.com"]}
//!         tls: {cert_file: /etc/airdig/server.pem, key_file: /etc/airdig/server.key}
//! ```
//!
//! The receiver responds when the delivery of the request has an outcome; see ARCHITECTURE.md. If the sender may retry,
//! the response has the delay before the retry. `rejection.rs` has the table of rejections.
//!
//! ```text
//!  grpc ─┐
//!        ├▶ read body ─▶ decompress ─▶ decode ─▶ send to all pipelines, or none ─▶ wait ─▶ respond
//!  http ─┘ └─ memory: request budget (`budget.rs`) ─┘ └── memory: queues of the pipelines ──┘
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::channel::Output;
use pipeline::component::{BuildError, Host, ListenAddress, Receiver, RunError, StartError};
use pipeline::registry::{BuildReceiver, ComponentMeta, Stability};
use pipeline::{SignalSet, tls};
use tokio_util::sync::CancellationToken;

mod body;
mod budget;
mod compression;
mod config;
mod cors;
mod grpc;
mod http;
mod intake;
mod rejection;
mod response;
mod serve;
#[cfg(test)]
mod tests;

pub use config::{Config, CorsConfig, GrpcConfig, HttpConfig, OtlpConfigError};

use budget::RequestBudget;
use intake::RequestHandler;
use serve::Socket;

/// Receives OTLP over gRPC and HTTP.
#[derive(Debug)]
pub struct Otlp {
    config: Config,
    id: String,
    budget: RequestBudget,
    grpc: Option<Socket>,
    http: Option<Socket>,
}

impl ComponentMeta for Otlp {
    const TYPE: &'static str = "otlp";
    const STABILITY: Stability = Stability::Beta;
    const SUMMARY: &'static str =
        "receives traces, metrics, logs over gRPC and HTTP; protobuf, JSON, gzip, zstd, TLS";
    type Config = Config;
}

impl BuildReceiver for Otlp {
    const PRODUCES: SignalSet = SignalSet::TELEMETRY;

    fn build(config: Config, host: &Host) -> Result<Otlp, BuildError> {
        let grpc = config.grpc.as_ref().map_or(0, GrpcConfig::limit);
        let http = config.http.as_ref().map_or(0, HttpConfig::limit);
        Ok(Otlp {
            config,
            id: host.id().to_string(),
            budget: RequestBudget::for_largest_request(grpc.max(http)),
            grpc: None,
            http: None,
        })
    }
}

#[async_trait]
impl Receiver for Otlp {
    async fn start(&mut self) -> Result<Vec<ListenAddress>, StartError> {
        let mut listening = Vec::new();
        if let Some(grpc) = &self.config.grpc {
            let tls = self.tls("grpc", grpc.tls.as_ref(), &["h2"])?;
            let socket = self.bind("grpc", grpc.endpoint.as_str(), tls).await?;
            listening.push(ListenAddress {
                protocol: "grpc",
                address: socket.address,
            });
            self.grpc = Some(socket);
        }
        if let Some(http) = &self.config.http {
            let tls = self.tls("http", http.tls.as_ref(), &["h2", "http/1.1"])?;
            let socket = self.bind("http", http.endpoint.as_str(), tls).await?;
            listening.push(ListenAddress {
                protocol: "http",
                address: socket.address,
            });
            self.http = Some(socket);
        }
        Ok(listening)
    }

    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError> {
        let Otlp {
            config,
            id,
            budget,
            grpc,
            http,
        } = *self;
        let handler = Arc::new(RequestHandler::new(output, id.into(), budget));
        let grpc = async {
            if let (Some(socket), Some(config)) = (grpc, &config.grpc) {
                let router = grpc::router(handler.clone(), config);
                let builder = serve::grpc_connections(config.max_concurrent_streams);
                socket.serve(router, builder, stop.clone()).await;
            }
        };
        let http = async {
            if let (Some(socket), Some(config)) = (http, &config.http) {
                let router = http::router(handler.clone(), config);
                socket
                    .serve(router, serve::http_connections(), stop.clone())
                    .await;
            }
        };
        tokio::join!(grpc, http);
        Ok(())
    }
}

impl Otlp {
    async fn bind(
        &self,
        protocol: &'static str,
        endpoint: &str,
        tls: Option<rustls::ServerConfig>,
    ) -> Result<Socket, StartError> {
        let key = format!("receivers.{}.protocols.{protocol}.endpoint", self.id);
        Socket::bind(endpoint, protocol, &key, tls).await
    }

    fn tls(
        &self,
        protocol: &'static str,
        tls: Option<&tls::ServerConfig>,
        alpn: &[&str],
    ) -> Result<Option<rustls::ServerConfig>, StartError> {
        let key = format!("receivers.{}.protocols.{protocol}.tls", self.id);
        tls.map(|tls| tls.load(&key, alpn)).transpose()
    }
}
