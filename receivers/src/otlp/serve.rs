//! Listening sockets, in plain text or with TLS: bound at the start, served until the stop, then drained.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use pipeline::component::StartError;
use pipeline::listen;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::MapFuture;
use tracing::{debug, warn};

/// The timeout of a request's header and of a new connection's first byte.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// The timeout of the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A bound socket and its TLS settings.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Socket {
    /// `key` is the configuration key of the endpoint, for error messages.
    ///
    /// # Errors
    /// If the endpoint cannot be resolved or bound. The error names a remedy.
    pub(super) async fn bind(
        endpoint: &str,
        protocol: &'static str,
        key: &str,
        tls: Option<rustls::ServerConfig>,
    ) -> Result<Socket, StartError> {
        let (listener, address) = listen::bind(endpoint, protocol, key).await?;
        Ok(Socket {
            listener,
            address,
            tls: tls.map(Arc::new),
        })
    }

    /// Serves `router` until `stop`, then finishes the requests in flight.
    pub(super) async fn serve(
        self,
        router: Router,
        builder: auto::Builder<TokioExecutor>,
        stop: CancellationToken,
    ) {
        let tls = self.tls.map(TlsAcceptor::from);
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (router, builder) = (router.clone(), builder.clone());
                    connections.spawn(serve_connection(
                        stream,
                        tls.clone(),
                        router,
                        builder,
                        stop.clone(),
                    ));
                }
                Err(error) if concerns_one_peer(&error) => {}
                Err(error) => {
                    // Usually the process has no free file descriptor until a connection ends.
                    warn!(address = %self.address, %error, "cannot accept connections");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }
}

/// Whether a failed `accept` concerns only the peer of one connection.
fn concerns_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

async fn serve_connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    builder: auto::Builder<TokioExecutor>,
    stop: CancellationToken,
) {
    // Responses are small, and senders wait for them. An error means that the peer has disconnected.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        let mut first = [0];
        let has_data = tokio::select! {
            () = stop.cancelled() => return,
            peeked = timeout(HEADER_TIMEOUT, stream.peek(&mut first)) => matches!(peeked, Ok(Ok(1))),
        };
        if has_data {
            serve_http(stream, router, builder, stop).await;
        }
        return;
    };
    let handshake = tokio::select! {
        () = stop.cancelled() => return,
        handshake = tls_handshake(stream, &tls) => handshake,
    };
    match handshake {
        Ok(stream) => serve_http(stream, router, builder, stop).await,
        Err(error) => debug!(%error, "TLS handshake failed"),
    }
}

/// Performs the TLS handshake and waits for the first byte after it.
async fn tls_handshake(stream: TcpStream, tls: &TlsAcceptor) -> io::Result<TlsStream<TcpStream>> {
    let mut stream = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await??;
    if timeout(HEADER_TIMEOUT, stream.fill_buf())
        .await??
        .is_empty()
    {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(stream)
}

/// Serves HTTP on a connection whose first byte has arrived.
async fn serve_http<S>(
    stream: S,
    router: Router,
    builder: auto::Builder<TokioExecutor>,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let requests = TaskTracker::new();
    let tracker = requests.clone();
    let service = MapFuture::new(router, move |response| tracker.track_future(response));
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            finish(connection, &requests).await
        }
    };
    if let Err(error) = ended {
        debug!(error, "connection ended");
    }
}

/// Drives a connection in graceful shutdown until it ends. Gives up a connection without a request in flight after a
/// second: its peer sent only a part of a request or of the HTTP/2 preface.
async fn finish<E>(
    mut connection: impl Future<Output = Result<(), E>> + Unpin,
    requests: &TaskTracker,
) -> Result<(), E> {
    loop {
        let was_idle = requests.is_empty();
        tokio::select! {
            ended = &mut connection => return ended,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        if was_idle && requests.is_empty() {
            return Ok(());
        }
    }
}

/// The largest HTTP/2 frame, in bytes. A request of usual size fits into one such frame, and is then not copied.
const MAX_FRAME: u32 = 256 << 10;

/// Connections that accept only HTTP/2, which gRPC requires.
pub(super) fn grpc_connections(max_streams: u32) -> auto::Builder<TokioExecutor> {
    let mut builder = connections().http2_only();
    builder.http2().max_concurrent_streams(max_streams);
    builder
}

/// Connections that accept HTTP/1.1, and HTTP/2 from clients that begin with its preface.
pub(super) fn http_connections() -> auto::Builder<TokioExecutor> {
    connections()
}

fn connections() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .max_frame_size(MAX_FRAME)
        // Closes connections to peers that vanished, and frees their memory.
        .keep_alive_interval(Duration::from_secs(60))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}
