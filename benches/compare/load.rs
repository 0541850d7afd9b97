//! Sends OTLP/gRPC requests on one connection, a number of them in flight, and measures their latencies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

use crate::Failure;
use crate::raw::RawCodec;
use crate::requests::{Requests, SPANS};

const EXPORT: PathAndQuery =
    PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
/// The pause before a retry of a rejected request.
const PAUSE: Duration = Duration::from_millis(20);

/// The outcome of a number of requests.
#[derive(Debug, Default)]
pub(crate) struct LoadOutcome {
    pub(crate) spans: u64,
    /// Retryable responses; the request was then sent again.
    pub(crate) refusals: u64,
    pub(crate) took: Duration,
    /// From the start of each request to its successful response, ascending.
    pub(crate) latencies: Vec<Duration>,
}

/// Connects; retries for 30 s while no program listens.
pub(crate) async fn connect(address: &str) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
    let start = Instant::now();
    loop {
        match endpoint.connect().await {
            Ok(channel) => return Ok(channel),
            Err(error) if start.elapsed() > Duration::from_secs(30) => {
                return Err(format!("cannot connect to {address}: {error}").into());
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Sends the requests numbered `first` to `first + count`.
pub(crate) async fn send(
    channel: &Channel,
    requests: &Arc<Requests>,
    first: u64,
    count: u64,
    in_flight: usize,
) -> Result<LoadOutcome, Failure> {
    let next = Arc::new(AtomicU64::new(first));
    let start = Instant::now();
    let senders: Vec<_> = (0..in_flight)
        .map(|_| {
            let sender = LoadSender {
                grpc: Grpc::new(channel.clone()),
                requests: requests.clone(),
                next: next.clone(),
                end: first + count,
            };
            tokio::spawn(sender.run())
        })
        .collect();
    let mut total = LoadOutcome::default();
    for sender in senders {
        let sent = sender.await??;
        total.spans += sent.spans;
        total.refusals += sent.refusals;
        total.latencies.extend(sent.latencies);
    }
    total.took = start.elapsed();
    total.latencies.sort_unstable();
    Ok(total)
}

struct LoadSender {
    grpc: Grpc<Channel>,
    requests: Arc<Requests>,
    next: Arc<AtomicU64>,
    end: u64,
}

impl LoadSender {
    async fn run(mut self) -> Result<LoadOutcome, Failure> {
        let mut sent = LoadOutcome::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.end {
                return Ok(sent);
            }
            let body = self.requests.request(number);
            let start = Instant::now();
            loop {
                self.grpc.ready().await?;
                let response = self
                    .grpc
                    .unary(Request::new(body.clone()), EXPORT, RawCodec);
                match response.await {
                    Ok(_) => break,
                    Err(status)
                        if matches!(status.code(), Code::ResourceExhausted | Code::Unavailable) =>
                    {
                        sent.refusals += 1;
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(status) => return Err(status.into()),
                }
            }
            sent.latencies.push(start.elapsed());
            sent.spans += SPANS;
        }
    }
}
