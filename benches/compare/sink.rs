//! Receives OTLP/gRPC and counts spans, without decoding them, and calls of service graph metrics.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use prost::Message;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

use crate::Failure;
use crate::raw::RawCodec;
use crate::wire;

/// `resource_spans`, `scope_spans`, `spans`.
const SPANS: [u64; 3] = [1, 2, 2];
/// HTTP/2 window in bytes: large enough that no sender waits for flow control.
const WINDOW: u32 = 16 << 20;
const LARGEST: usize = 64 << 20;

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct SinkCounts {
    spans: AtomicU64,
    /// Calls in the newest service graph metrics.
    calls: AtomicU64,
}

impl SinkCounts {
    pub(crate) fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn take(&self, path: &str, message: &[u8]) -> Result<(), wire::Malformed> {
        if path.contains("TraceService") {
            let spans = wire::count(message, &SPANS)?;
            self.spans.fetch_add(spans, Ordering::Relaxed);
        } else if let Ok(metrics) = ExportMetricsServiceRequest::decode(message) {
            self.calls.fetch_max(calls(&metrics), Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Listens on a new port until the process exits.
pub(crate) async fn listen() -> Result<(SocketAddr, Arc<SinkCounts>), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let counted = Arc::new(SinkCounts::default());
    tokio::spawn(accept(listener, counted.clone()));
    Ok((address, counted))
}

async fn accept(listener: TcpListener, counted: Arc<SinkCounts>) {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    while let Ok((stream, _)) = listener.accept().await {
        let (builder, counted) = (builder.clone(), counted.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = tower::service_fn(move |request: http::Request<_>| {
                let counted = counted.clone();
                async move {
                    let service = CountingService {
                        path: request.uri().path().to_owned(),
                        counted,
                    };
                    let mut grpc = tonic::server::Grpc::new(RawCodec)
                        .accept_compressed(CompressionEncoding::Gzip)
                        .accept_compressed(CompressionEncoding::Zstd)
                        .max_decoding_message_size(LARGEST);
                    Ok::<_, Infallible>(grpc.unary(service, request).await)
                }
            });
            let service = TowerToHyperService::new(service);
            // An error means that the program under test has exited.
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

struct CountingService {
    path: String,
    counted: Arc<SinkCounts>,
}

impl tonic::server::UnaryService<Bytes> for CountingService {
    type Response = Bytes;
    type Future = std::future::Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let counted = self.counted.take(&self.path, request.get_ref());
        // An empty response means that all was accepted.
        let response = counted.map(|()| Response::new(Bytes::new()));
        std::future::ready(response.map_err(|error| Status::invalid_argument(error.to_string())))
    }
}

fn calls(request: &ExportMetricsServiceRequest) -> u64 {
    let scopes = request
        .resource_metrics
        .iter()
        .flat_map(|of| &of.scope_metrics);
    let metrics = scopes.flat_map(|of| &of.metrics);
    let totals = metrics.filter(|metric| metric.name == "traces_service_graph_request_total");
    let points = totals.flat_map(|metric| match &metric.data {
        Some(metric::Data::Sum(sum)) => sum.data_points.as_slice(),
        _ => &[],
    });
    points
        .map(|point| match point.value {
            Some(number_data_point::Value::AsInt(calls)) => calls.unsigned_abs(),
            _ => 0,
        })
        .sum()
}
