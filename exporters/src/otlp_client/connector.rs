//! Opens plain-text or TLS connections for the exporters `otlp` and `otlp_http`.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Uri;
use hyper_rustls::{
    FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream,
};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use pipeline::component::Cause;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tower::Service;

/// The timeout for name resolution, TCP connect and TLS handshake together; the same as in gRPC.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long sent data may stay unacknowledged by the peer's TCP. Without this limit, a dead peer blocks a connection
/// that several requests share.
#[cfg(target_os = "linux")]
const PEER_TIMEOUT: Duration = Duration::from_secs(30);
/// The idle time after which TCP probes the peer; the default of Go.
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);

/// The HTTP versions that a TLS client offers to the server in ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpVersions {
    /// gRPC requires HTTP/2.
    OnlyHttp2,
    /// The server chooses HTTP/1.1 or HTTP/2.
    Any,
}

/// Connects to a server in plain text or with TLS.
#[derive(Clone, Debug)]
pub(crate) enum Connector {
    Plain(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

impl Connector {
    pub(crate) fn plain() -> Connector {
        Connector::Plain(tcp())
    }

    /// Uses TLS for `https` URLs. The certificate must be valid for `server_name` or, if that is `None`, for the host
    /// of the URL.
    pub(crate) fn tls(
        tls: rustls::ClientConfig,
        server_name: Option<ServerName<'static>>,
        versions: HttpVersions,
    ) -> Connector {
        let mut builder = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http();
        if let Some(name) = server_name {
            builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
        }
        Connector::Tls(match versions {
            HttpVersions::OnlyHttp2 => builder.enable_http2().wrap_connector(tcp()),
            HttpVersions::Any => builder.enable_all_versions().wrap_connector(tcp()),
        })
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(TCP_KEEPALIVE));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(PEER_TIMEOUT));
    tcp
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Cause;
    type Future = BoxFuture<'static, Result<Self::Response, Cause>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        match self {
            Connector::Plain(tcp) => tcp.poll_ready(context).map_err(Cause::from),
            Connector::Tls(tls) => tls.poll_ready(context),
        }
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = match self {
            Connector::Plain(tcp) => {
                let connecting = tcp.call(destination);
                async { Ok(MaybeHttpsStream::Http(connecting.await?)) }.boxed()
            }
            Connector::Tls(tls) => tls.call(destination).boxed(),
        };
        async {
            match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(format!("no connection within {CONNECT_TIMEOUT:?}").into()),
            }
        }
        .boxed()
    }
}
