//! Sends requests over OTLP/gRPC on one connection, so many at once, and times each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

use crate::Failure;
use crate::raw::Raw;
use crate::requests::{Requests, SPANS};

const EXPORT: PathAndQuery =
    PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
/// After a refusal that asks to come back.
const PAUSE: Duration = Duration::from_millis(20);

/// What became of a number of requests.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) spans: u64,
    /// Answers that asked to come back later; the request was then sent again.
    pub(crate) refusals: u64,
    pub(crate) took: Duration,
    /// Of each request from its first byte to its answer, ascending.
    pub(crate) latencies: Vec<Duration>,
}

/// Connects, waiting until somebody listens.
pub(crate) async fn connect(address: &str) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
    let start = Instant::now();
    loop {
        match endpoint.connect().await {
            Ok(channel) => return Ok(channel),
            Err(error) if start.elapsed() > Duration::from_secs(30) => {
                return Err(format!("nobody listens on {address}: {error}").into());
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
) -> Result<Sent, Failure> {
    let next = Arc::new(AtomicU64::new(first));
    let start = Instant::now();
    let senders: Vec<_> = (0..in_flight)
        .map(|_| {
            let sender = Sender {
                grpc: Grpc::new(channel.clone()),
                requests: requests.clone(),
                next: next.clone(),
                end: first + count,
            };
            tokio::spawn(sender.run())
        })
        .collect();
    let mut all = Sent::default();
    for sender in senders {
        let sent = sender.await??;
        all.spans += sent.spans;
        all.refusals += sent.refusals;
        all.latencies.extend(sent.latencies);
    }
    all.took = start.elapsed();
    all.latencies.sort_unstable();
    Ok(all)
}

struct Sender {
    grpc: Grpc<Channel>,
    requests: Arc<Requests>,
    next: Arc<AtomicU64>,
    end: u64,
}

impl Sender {
    async fn run(mut self) -> Result<Sent, Failure> {
        let mut sent = Sent::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.end {
                return Ok(sent);
            }
            let body = self.requests.request(number);
            let start = Instant::now();
            loop {
                self.grpc.ready().await?;
                let answer = self.grpc.unary(Request::new(body.clone()), EXPORT, Raw);
                match answer.await {
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
