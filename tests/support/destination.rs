//! An OTLP/gRPC destination of spans whose responses a test can delay.

use std::sync::{Arc, Mutex};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

/// Responds to no request until it is opened. Rejects the spans named `rejected`.
pub(crate) struct SpanDestination {
    pub(crate) address: String,
    open: watch::Sender<bool>,
    received: Arc<Mutex<Vec<Vec<String>>>>,
}

impl SpanDestination {
    pub(crate) fn start(runtime: &Runtime) -> SpanDestination {
        let (open, opened) = watch::channel(false);
        let received = Arc::default();
        let service = DestinationService {
            opened,
            received: Arc::clone(&received),
        };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let server = TraceServiceServer::new(service);
        let server = server.accept_compressed(CompressionEncoding::Gzip);
        runtime.spawn(serve(listener, server));
        SpanDestination {
            address: address.to_string(),
            open,
            received,
        }
    }

    /// Responds to pending requests, and from now on to each request at once.
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// The names of the spans of each request so far, sorted.
    pub(crate) fn received(&self) -> Vec<Vec<String>> {
        self.received.lock().unwrap().clone()
    }
}

struct DestinationService {
    opened: watch::Receiver<bool>,
    received: Arc<Mutex<Vec<Vec<String>>>>,
}

#[tonic::async_trait]
impl TraceService for DestinationService {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let names = names(&request.into_inner());
        let rejected = names.iter().filter(|name| *name == "rejected").count();
        self.received.lock().unwrap().push(names);
        let mut opened = self.opened.clone();
        opened.wait_for(|opened| *opened).await.unwrap();
        let partial_success = (rejected > 0).then(|| ExportTracePartialSuccess {
            rejected_spans: i64::try_from(rejected).unwrap(),
            error_message: "not this name".to_owned(),
        });
        Ok(Response::new(ExportTraceServiceResponse {
            partial_success,
        }))
    }
}

async fn serve(listener: TcpListener, server: TraceServiceServer<DestinationService>) {
    let builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    while let Ok((stream, _)) = listener.accept().await {
        let (builder, server) = (builder.clone(), TowerToHyperService::new(server.clone()));
        tokio::spawn(async move {
            let _ = builder.serve_connection(TokioIo::new(stream), server).await;
        });
    }
}

/// A request of these spans, without a resource.
pub(crate) fn export_request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans {
        spans,
        ..ScopeSpans::default()
    }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans,
            ..ResourceSpans::default()
        }],
    }
}

fn names(request: &ExportTraceServiceRequest) -> Vec<String> {
    let resources = request.resource_spans.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    let spans = scopes.flat_map(|scope| &scope.spans);
    let mut names: Vec<_> = spans.map(|span| span.name.clone()).collect();
    names.sort();
    names
}
