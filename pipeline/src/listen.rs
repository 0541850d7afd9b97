//! Binds sockets. An error says why a socket cannot be bound and what to do.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::component::StartError;

/// Binds `endpoint` (`host:port`, or `:port` for all addresses) for a protocol, and returns the listener with its
/// address. `key` is the configuration key of the endpoint, for errors.
///
/// # Errors
/// When the endpoint cannot be resolved or bound.
pub async fn bind(
    endpoint: &str,
    protocol: &'static str,
    key: &str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let requested = resolve(endpoint).await.map_err(|error| {
        let reason = format!("cannot resolve {endpoint} for {protocol}; set {key}");
        StartError::because(reason, error)
    })?;
    let bound = TcpListener::bind(requested).await.and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| bind_error(requested, protocol, key, error))
}

fn bind_error(
    requested: SocketAddr,
    protocol: &'static str,
    key: &str,
    error: io::Error,
) -> StartError {
    let (why, advice) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            "address already in use",
            format!("stop the other process or set {key}"),
        ),
        io::ErrorKind::PermissionDenied => (
            "permission denied",
            format!("set {key} to a port above 1023"),
        ),
        io::ErrorKind::AddrNotAvailable => (
            "no such address on this machine",
            format!("set {key} to 0.0.0.0:{}", requested.port()),
        ),
        _ => {
            let reason = format!("cannot listen on {requested} for {protocol}; set {key}");
            return StartError::because(reason, error);
        }
    };
    StartError::new(format!(
        "cannot listen on {requested} for {protocol}: {why}; {advice}"
    ))
}

/// Resolves an endpoint to one address, as Go does: the IPv4 address if a name also has IPv6 addresses, and the
/// unspecified address, which accepts connections on all interfaces, if the host is empty.
async fn resolve(endpoint: &str) -> io::Result<SocketAddr> {
    if let Some(port) = endpoint
        .strip_prefix(':')
        .and_then(|port| port.parse().ok())
    {
        let dual = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
        let has_v6 = TcpListener::bind(SocketAddr::new(dual.ip(), 0))
            .await
            .is_ok();
        let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        return Ok(if has_v6 { dual } else { v4 });
    }
    let resolved: Vec<SocketAddr> = tokio::net::lookup_host(endpoint).await?.collect();
    let v4 = resolved.iter().find(|address| address.is_ipv4());
    v4.or(resolved.first())
        .copied()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}
