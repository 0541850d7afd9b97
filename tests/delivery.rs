//! Several senders share a batch while the destination hangs, responds late or accepts only some spans. Each sender
//! gets the outcome of its own spans within its own deadline, and the destination receives no span twice.

use std::time::{Duration, Instant};

use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::runtime::Runtime;
use tonic::{Code, Request, Response, Status};

use crate::support::{Airdig, SpanDestination, eventually, export_request};

/// The exporter sends one request at a time, so requests that arrive during the first one are merged.
const CONFIG: &str = r#"
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}
processors:
  batch: {timeout: 30s}
exporters:
  otlp:
    endpoint: "${env:DESTINATION}"
    tls: {insecure: true}
    sending_queue: {num_consumers: 1}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
"#;

/// airdig in front of a destination that the first request occupies.
struct OccupiedGateway {
    runtime: Runtime,
    airdig: Airdig,
    client: TraceServiceClient<Channel>,
    destination: SpanDestination,
    first: tokio::task::JoinHandle<ExportOutcome>,
    _folder: tempfile::TempDir,
}

/// Not tonic's channel, which would cancel a request at its `grpc-timeout` before airdig responds.
type Channel = legacy::Client<HttpConnector, tonic::body::Body>;
type ExportOutcome = Result<ExportTraceServiceResponse, Status>;

impl OccupiedGateway {
    fn start() -> OccupiedGateway {
        let runtime = Runtime::new().unwrap();
        let destination = SpanDestination::start(&runtime);
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("gateway.yaml");
        std::fs::write(&config, CONFIG).unwrap();
        let airdig = Airdig::start(&config, &[("DESTINATION", destination.address.as_ref())]);
        let url = format!("http://{}", airdig.address("receivers/otlp", "grpc"));
        let channel = legacy::Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http();
        let client = TraceServiceClient::with_origin(channel, url.parse().unwrap());
        let first = runtime.spawn(send(client.clone(), "first", 1, Duration::from_secs(30)));
        let gateway = OccupiedGateway {
            runtime,
            airdig,
            client,
            destination,
            first,
            _folder: folder,
        };
        eventually("the first request", || {
            (!gateway.destination.received().is_empty()).then_some(())
        });
        gateway
    }

    fn send(&self, name: &'static str, count: usize, deadline: Duration) -> PendingRequest {
        let began = Instant::now();
        let sent = send(self.client.clone(), name, count, deadline);
        let task = self
            .runtime
            .spawn(async move { (sent.await, began.elapsed()) });
        PendingRequest(task)
    }

    fn answer(&self, sending: PendingRequest) -> (ExportOutcome, Duration) {
        self.runtime.block_on(sending.0).unwrap()
    }

    /// Opens the destination and stops airdig. Returns the span names that the destination received, by request.
    fn finish(self) -> Vec<Vec<String>> {
        self.destination.open();
        self.runtime.block_on(self.first).unwrap().unwrap();
        assert!(self.airdig.stop().success());
        self.destination.received()
    }
}

/// A request in flight; yields its outcome and duration.
struct PendingRequest(tokio::task::JoinHandle<(ExportOutcome, Duration)>);

async fn send(
    mut client: TraceServiceClient<Channel>,
    name: &'static str,
    count: usize,
    deadline: Duration,
) -> ExportOutcome {
    let mut request = Request::new(request(name, count));
    let timeout = format!("{}m", deadline.as_millis()).parse().unwrap();
    request.metadata_mut().insert("grpc-timeout", timeout);
    client.export(request).await.map(Response::into_inner)
}

fn request(name: &str, count: usize) -> ExportTraceServiceRequest {
    let span = Span {
        name: name.to_owned(),
        trace_id: vec![1; 16],
        span_id: vec![1; 8],
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..Span::default()
    };
    export_request(vec![span; count])
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_hanging_destination_fails_a_sender_at_its_own_deadline_and_does_not_affect_the_next_sender() {
    let gateway = OccupiedGateway::start();
    let short = gateway.send("short", 2, Duration::from_millis(500));
    let long = gateway.send("long", 3, LONG);
    let (answer, took) = gateway.answer(short);
    assert_eq!(answer.unwrap_err().code(), Code::DeadlineExceeded);
    assert!(took < Duration::from_secs(3), "{took:?}");
    // The destination responds after the deadline of the first sender.
    gateway.destination.open();
    let (answer, _) = gateway.answer(long);
    assert_eq!(answer.unwrap().partial_success, None);
    let received = gateway.finish();
    let count = |name| received.iter().flatten().filter(|it| *it == name).count();
    assert_eq!((count("first"), count("short"), count("long")), (1, 2, 3));
}

#[test]
fn a_sender_gets_at_most_as_many_rejected_spans_as_it_sent() {
    let gateway = OccupiedGateway::start();
    let one = gateway.send("rejected", 1, LONG);
    let other = gateway.send("accepted", 4, LONG);
    std::thread::sleep(Duration::from_millis(300));
    gateway.destination.open();
    let rejected = |sending| {
        let (answer, _) = gateway.answer(sending);
        let partial = answer.unwrap().partial_success;
        partial.map_or(0, |partial| {
            assert!(
                partial.error_message.contains("not this name"),
                "{partial:?}"
            );
            partial.rejected_spans
        })
    };
    // OTLP reports the number of rejected spans, not which ones: each sender gets the number that may be its own.
    assert_eq!((rejected(one), rejected(other)), (1, 1));
    assert_eq!(gateway.finish().len(), 2);
}

#[test]
fn senders_with_a_deadline_of_a_millisecond_fail_and_the_others_lose_nothing() {
    let gateway = OccupiedGateway::start();
    let began = Instant::now();
    let hasty: Vec<_> = (0..100)
        .map(|_| gateway.send("hasty", 1, Duration::from_millis(1)))
        .collect();
    let patient: Vec<_> = (0..20).map(|_| gateway.send("patient", 5, LONG)).collect();
    for sending in hasty {
        let (answer, _) = gateway.answer(sending);
        assert_eq!(answer.unwrap_err().code(), Code::DeadlineExceeded);
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    gateway.destination.open();
    for sending in patient {
        assert!(gateway.answer(sending).0.is_ok());
    }
    let received = gateway.finish();
    let patient = received.iter().flatten().filter(|it| *it == "patient");
    assert_eq!(patient.count(), 100);
}
