//! Test doubles: a server with scripted responses over HTTP/1.1 and HTTP/2, plain text or TLS; requests to send to it;
//! certificates.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use pipeline::component::{ErrorChain, ExportError, Host, Tasks};
use pipeline::registry::BuildExporter;
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp};
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

mod certificates;
pub(crate) use certificates::TestCa;

/// How the server responds to a request.
pub(crate) enum ScriptedResponse {
    Reply {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
        trailers: Vec<(&'static str, String)>,
    },
    /// The server never responds.
    Hang,
    /// The server closes the connection without a response.
    CloseConnection,
    /// The server sends a success status and then aborts the body.
    AbortBody,
}

/// A request that the server received.
#[derive(Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) path: String,
    pub(crate) authority: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The address of the client.
    pub(crate) peer: SocketAddr,
}

impl ReceivedRequest {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// A server with scripted responses, which runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: mpsc::UnboundedReceiver<ReceivedRequest>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Sends these responses, one per request. If the last one is a `Reply`, the server repeats it for all other
    /// requests.
    pub(crate) async fn responding(script: Vec<ScriptedResponse>) -> Server {
        Server::run(script, None).await
    }

    pub(crate) async fn with_tls(
        script: Vec<ScriptedResponse>,
        mut tls: rustls::ServerConfig,
    ) -> Server {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Server::run(script, Some(Arc::new(tls).into())).await
    }

    async fn run(script: Vec<ScriptedResponse>, tls: Option<TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let script = Arc::new(Mutex::new(script));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let (script, sender, tls) = (script.clone(), sender.clone(), tls.clone());
                connections.spawn(async move {
                    let close = CancellationToken::new();
                    let closing = close.clone();
                    let service = Router::new().fallback(move |request: Request<Body>| {
                        respond(
                            request,
                            peer,
                            script.clone(),
                            sender.clone(),
                            closing.clone(),
                        )
                    });
                    let service = TowerToHyperService::new(service);
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let serving = async {
                        match tls {
                            None => {
                                let stream = TokioIo::new(stream);
                                let _ = builder.serve_connection(stream, service).await;
                            }
                            Some(tls) => {
                                let Ok(stream) = tls.accept(stream).await else {
                                    return;
                                };
                                let stream = TokioIo::new(stream);
                                let _ = builder.serve_connection(stream, service).await;
                            }
                        }
                    };
                    tokio::select! {
                        () = serving => {}
                        () = close.cancelled() => {}
                    }
                });
            }
        });
        Server {
            address,
            received,
            task,
        }
    }

    /// Waits for the next request.
    pub(crate) async fn next_request(&mut self) -> ReceivedRequest {
        let next = tokio::time::timeout(Duration::from_secs(10), self.received.recv());
        next.await.expect("a request within 10s").unwrap()
    }
}

async fn respond(
    request: Request<Body>,
    peer: SocketAddr,
    script: Arc<Mutex<Vec<ScriptedResponse>>>,
    sender: mpsc::UnboundedSender<ReceivedRequest>,
    close: CancellationToken,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let authority = head.uri.authority().map(ToString::to_string);
    let body = body.collect().await.unwrap().to_bytes();
    let _ = sender.send(ReceivedRequest {
        path: head.uri.path_and_query().unwrap().to_string(),
        authority,
        headers: head.headers,
        body,
        peer,
    });
    let next = {
        let mut script = script.lock().unwrap();
        let last = script.len() == 1;
        if last && matches!(script[0], ScriptedResponse::Reply { .. }) {
            script[0].repeated()
        } else {
            script.remove(0)
        }
    };
    match next {
        ScriptedResponse::Reply {
            status,
            headers,
            body,
            trailers,
        } => {
            let mut frames = vec![Ok::<_, std::io::Error>(Frame::data(Bytes::from(body)))];
            if !trailers.is_empty() {
                frames.push(Ok(Frame::trailers(header_map(trailers))));
            }
            let body = Body::new(StreamBody::new(futures::stream::iter(frames)));
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            *response.headers_mut() = header_map(headers);
            response
        }
        ScriptedResponse::Hang => std::future::pending().await,
        ScriptedResponse::CloseConnection => {
            close.cancel();
            std::future::pending().await
        }
        ScriptedResponse::AbortBody => {
            let start = futures::stream::iter([Ok(Bytes::from_static(&[0, 0]))]);
            let aborted = futures::stream::once(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(std::io::Error::other("abort on purpose"))
            });
            Response::new(Body::from_stream(start.chain(aborted)))
        }
    }
}

fn header_map(pairs: Vec<(&'static str, String)>) -> HeaderMap {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

impl ScriptedResponse {
    fn repeated(&self) -> ScriptedResponse {
        let ScriptedResponse::Reply {
            status,
            headers,
            body,
            trailers,
        } = self
        else {
            unreachable!("only replies are repeated");
        };
        ScriptedResponse::Reply {
            status: *status,
            headers: headers.clone(),
            body: body.clone(),
            trailers: trailers.clone(),
        }
    }
}

/// Builds and starts an exporter.
pub(crate) async fn start_exporter<E: BuildExporter>(config: Json) -> E {
    let mut exporter: E = build(config);
    exporter.start(&mut Tasks::default()).await.unwrap();
    exporter
}

pub(crate) fn build<E: BuildExporter>(config: Json) -> E {
    let config = serde_json::from_value(config).unwrap_or_else(|error| panic!("{error}"));
    let id = format!("{}/test", E::TYPE).parse().unwrap();
    E::build(config, &Host::new(id, SignalSet::NONE, Arc::default())).unwrap()
}

/// An OTLP request with `rows` rows.
pub(crate) fn request(signal: Signal, rows: usize) -> Bytes {
    let resource =
        json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let row = |row: usize| match signal {
        Signal::Traces => json!({
            "traceId": format!("{:032x}", row + 1), "spanId": format!("{:016x}", row + 1),
            "name": "GET /cart", "startTimeUnixNano": "1", "endTimeUnixNano": "2",
        }),
        Signal::Metrics => json!({
            "name": "load", "gauge": {"dataPoints": [{"asDouble": row, "timeUnixNano": "1"}]},
        }),
        _ => json!({"body": {"stringValue": format!("line {row}")}, "timeUnixNano": "1"}),
    };
    let rows: Vec<Json> = (0..rows).map(row).collect();
    let [outer, inner, item] = match signal {
        Signal::Traces => ["resourceSpans", "scopeSpans", "spans"],
        Signal::Metrics => ["resourceMetrics", "scopeMetrics", "metrics"],
        _ => ["resourceLogs", "scopeLogs", "logRecords"],
    };
    let json = json!({outer: [{"resource": resource, inner: [{"scope": {}, item: rows}]}]});
    let json = json.to_string();
    let batch = otlp::json::decode(signal, json.as_bytes(), "otlp", Delivery::untracked()).unwrap();
    batch.original().unwrap().to_bytes()
}

/// The batch that a receiver decodes from [`request`].
pub(crate) fn batch(signal: Signal, rows: usize) -> Batch {
    otlp::decode(signal, request(signal, rows), "otlp", Delivery::untracked()).unwrap()
}

/// A bound socket that does not listen: its port refuses connections, and no other test can bind the port.
pub(crate) fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Whether to retry after an error, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryAdvice {
    Never,
    /// The server requested no delay.
    WithoutDelay,
    AfterSeconds(u64),
}

/// The message of an error with its causes, and its retry advice.
pub(crate) fn message_and_retry(error: &ExportError) -> (String, RetryAdvice) {
    let retry = match error {
        ExportError::Retryable { after: None, .. } => RetryAdvice::WithoutDelay,
        ExportError::Retryable {
            after: Some(after), ..
        } => RetryAdvice::AfterSeconds(after.as_secs()),
        ExportError::Permanent { .. } => RetryAdvice::Never,
    };
    (ErrorChain(error).to_string(), retry)
}
