//! Binds sockets; where one cannot be bound, says why and what to do.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::component::StartError;

/// Binds `endpoint` (`host:port`, or `:port` for all addresses) for a protocol; `key` is where the
/// file says the endpoint.
///
/// # Errors
/// When the endpoint has no address or cannot be bound.
pub async fn bind(
    endpoint: &str,
    protocol: &'static str,
    key: &str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let wanted = resolve(endpoint).await.map_err(|error| {
        let reason = format!("cannot find the address of {endpoint} for {protocol}; set {key}");
        StartError::because(reason, error)
    })?;
    let bound = TcpListener::bind(wanted).await.and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| unbound(wanted, protocol, key, error))
}

fn unbound(wanted: SocketAddr, protocol: &'static str, key: &str, error: io::Error) -> StartError {
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
            format!("set {key} to 0.0.0.0:{}", wanted.port()),
        ),
        _ => {
            let reason = format!("cannot listen on {wanted} for {protocol}; set {key}");
            return StartError::because(reason, error);
        }
    };
    StartError::new(format!(
        "cannot listen on {wanted} for {protocol}: {why}; {advice}"
    ))
}

/// One address, as Go does it: IPv4 where a name has both, all addresses where there is no name.
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
    let found: Vec<SocketAddr> = tokio::net::lookup_host(endpoint).await?.collect();
    let v4 = found.iter().find(|address| address.is_ipv4());
    v4.or(found.first())
        .copied()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}
