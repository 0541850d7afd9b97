//! For tests: a server that answers as it is told, over HTTP/1.1 and HTTP/2, plain or TLS; requests
//! to send to it; certificates.

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
use pipeline::component::{Chain, ExportError, Host, Tasks};
use pipeline::registry::BuildExporter;
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

mod certificates;
pub(crate) use certificates::Authority;

/// What is done with a request.
pub(crate) enum Answer {
    Reply {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
        trailers: Vec<(&'static str, String)>,
    },
    /// Never answered.
    Hang,
    /// The connection is closed instead.
    Close,
    /// The answer begins with success and breaks off.
    BreakOff,
}

/// A request that arrived.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) authority: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The connection that it came on.
    pub(crate) peer: SocketAddr,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// Runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Gives these answers, one a request; the last for all that come after.
    pub(crate) async fn answering(answers: Vec<Answer>) -> Server {
        Server::run(answers, None).await
    }

    pub(crate) async fn with_tls(answers: Vec<Answer>, mut tls: rustls::ServerConfig) -> Server {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Server::run(answers, Some(Arc::new(tls).into())).await
    }

    async fn run(answers: Vec<Answer>, tls: Option<TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        let script = Arc::new(Mutex::new(answers));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let (script, tell, tls) = (script.clone(), tell.clone(), tls.clone());
                connections.spawn(async move {
                    let close = CancellationToken::new();
                    let closing = close.clone();
                    let service = Router::new().fallback(move |request: Request<Body>| {
                        answer(request, peer, script.clone(), tell.clone(), closing.clone())
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
            seen,
            task,
        }
    }

    /// The next request.
    pub(crate) async fn seen(&mut self) -> Seen {
        let next = tokio::time::timeout(Duration::from_secs(10), self.seen.recv());
        next.await.expect("a request within 10s").unwrap()
    }
}

async fn answer(
    request: Request<Body>,
    peer: SocketAddr,
    script: Arc<Mutex<Vec<Answer>>>,
    tell: mpsc::UnboundedSender<Seen>,
    close: CancellationToken,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let authority = head.uri.authority().map(ToString::to_string);
    let body = body.collect().await.unwrap().to_bytes();
    let _ = tell.send(Seen {
        path: head.uri.path_and_query().unwrap().to_string(),
        authority,
        headers: head.headers,
        body,
        peer,
    });
    let next = {
        let mut script = script.lock().unwrap();
        let last = script.len() == 1;
        if last && matches!(script[0], Answer::Reply { .. }) {
            script[0].again()
        } else {
            script.remove(0)
        }
    };
    match next {
        Answer::Reply {
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
        Answer::Hang => std::future::pending().await,
        Answer::Close => {
            close.cancel();
            std::future::pending().await
        }
        Answer::BreakOff => {
            let begun = futures::stream::iter([Ok(Bytes::from_static(&[0, 0]))]);
            let broken = futures::stream::once(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(std::io::Error::other("on purpose"))
            });
            Response::new(Body::from_stream(begun.chain(broken)))
        }
    }
}

fn header_map(pairs: Vec<(&'static str, String)>) -> HeaderMap {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

impl Answer {
    fn again(&self) -> Answer {
        let Answer::Reply {
            status,
            headers,
            body,
            trailers,
        } = self
        else {
            unreachable!("only replies are given again");
        };
        Answer::Reply {
            status: *status,
            headers: headers.clone(),
            body: body.clone(),
            trailers: trailers.clone(),
        }
    }
}

/// An exporter that was started with this configuration.
pub(crate) async fn started<E: BuildExporter>(config: Json) -> E {
    let mut exporter: E = build(config);
    exporter.start(&mut Tasks::default()).await.unwrap();
    exporter
}

pub(crate) fn build<E: BuildExporter>(config: Json) -> E {
    let config = serde_json::from_value(config).unwrap_or_else(|error| panic!("{error}"));
    let id = format!("{}/test", E::TYPE).parse().unwrap();
    E::build(config, &Host::new(id, SignalSet::NONE, Arc::default())).unwrap()
}

/// An OTLP request of so many rows.
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
    let batch = otlp::json::decode(signal, json.as_bytes(), "otlp", Delivery::nobody()).unwrap();
    batch.original().unwrap().to_bytes()
}

/// A batch as a receiver makes it of a request.
pub(crate) fn batch(signal: Signal, rows: usize) -> Batch {
    otlp::decode(signal, request(signal, rows), "otlp", Delivery::nobody()).unwrap()
}

/// What is told, and when to send again: never where the time is missing.
pub(crate) fn told(error: &ExportError) -> (String, Option<Option<u64>>) {
    let again = match error {
        ExportError::Retryable { after, .. } => Some(after.map(|wait| wait.as_secs())),
        ExportError::Permanent { .. } => None,
    };
    (Chain(error).to_string(), again)
}
