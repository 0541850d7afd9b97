//! Rejects requests whose `Host` header is not allowed.
//!
//! This prevents DNS rebinding: the owner of another site makes its name resolve to this server. The browser then takes
//! the server for a part of that site, and lets the pages of the site read the graph. But it sends the name of the site
//! in `Host`.

use std::collections::HashSet;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pipeline::config::HostPort;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// A host name in lower case, without a port; or `*`, which allows any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedHost(String);

/// An entry of `allowed_hosts` that is not a host name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a host name without scheme and port, such as airdig.example.com, or * for any")]
pub struct InvalidAllowedHost;

impl FromStr for AllowedHost {
    type Err = InvalidAllowedHost;

    fn from_str(text: &str) -> Result<AllowedHost, InvalidAllowedHost> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        match text == "*" || (!text.is_empty() && text.bytes().all(is_part)) {
            true => Ok(AllowedHost(canonical(text))),
            false => Err(InvalidAllowedHost),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AllowedHost, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for AllowedHost {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AllowedHost".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// In lower case, without the final dot of a fully qualified name.
fn canonical(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The configured names, `localhost` and the host of the endpoint. IP addresses are always allowed.
#[derive(Debug)]
pub(super) struct AllowedHosts {
    names: HashSet<String>,
    /// The path of `allowed_hosts` in the configuration, for error messages.
    key: String,
}

impl AllowedHosts {
    pub(super) fn new(
        endpoint: &HostPort,
        configured: &[AllowedHost],
        key: String,
    ) -> AllowedHosts {
        let configured = configured.iter().map(|host| host.0.clone());
        let always_allowed = ["localhost".to_owned(), canonical(endpoint.host())];
        AllowedHosts {
            names: configured
                .chain(always_allowed)
                .filter(|name| !name.is_empty())
                .collect(),
            key,
        }
    }

    fn allow(&self, host: &str) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok()
            || self.names.contains("*")
            || self.names.contains(&canonical(host))
    }

    /// Checks the host of a request.
    ///
    /// # Errors
    /// The status and the message for a request whose host is missing, invalid or not allowed.
    fn check(&self, request: &Request) -> Result<(), (StatusCode, String)> {
        let bad = |message: &str| Err((StatusCode::BAD_REQUEST, message.to_owned()));
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = match (request.uri().authority(), hosts.next(), hosts.next()) {
            (_, _, Some(_)) => return bad("the request has several Host headers"),
            (Some(authority), ..) => authority.clone(),
            (None, Some(host), None) => match Authority::try_from(host.as_bytes()) {
                Ok(host) => host,
                Err(_) => return bad("the Host header is not a valid host"),
            },
            // Health checks of load balancers use HTTP/1.0 without Host. Browsers do not, so allowing it is safe.
            (None, None, None) if request.version() <= Version::HTTP_10 => return Ok(()),
            (None, None, None) => {
                return bad("the request has no Host header, which HTTP/1.1 requires");
            }
        };
        let host = host.host();
        match self.allow(host) {
            true => Ok(()),
            false => Err((
                StatusCode::FORBIDDEN,
                format!(
                    "the host {host} is not allowed: use an IP address, or add the host to {}",
                    self.key
                ),
            )),
        }
    }
}

/// Rejects a request whose host is not allowed.
pub(super) async fn check_host(
    State(hosts): State<Arc<AllowedHosts>>,
    request: Request,
    next: Next,
) -> Response {
    match hosts.check(&request) {
        Ok(()) => next.run(request).await,
        Err(rejection) => rejection.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::Version;

    use super::{AllowedHost, AllowedHosts};

    fn status(configured: &[&str], request: &Request) -> u16 {
        let configured: Vec<AllowedHost> = configured
            .iter()
            .map(|host| host.parse().unwrap())
            .collect();
        let endpoint = "Graph.Example:8080".parse().unwrap();
        let key = "exporters.graphql.allowed_hosts".to_owned();
        let hosts = AllowedHosts::new(&endpoint, &configured, key);
        hosts
            .check(request)
            .map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    fn with_host(host: &str) -> Request {
        Request::get("/graphql")
            .header("host", host)
            .body(Body::empty())
            .unwrap()
    }

    #[test]
    fn ip_addresses_and_localhost_and_the_host_of_the_endpoint_are_allowed() {
        for host in [
            "127.0.0.1:8080",
            "10.0.0.7",
            "[::1]:8080",
            "[fe80::1]",
            "localhost:8080",
            "LocalHost",
            "graph.example",
            "graph.example.:443",
        ] {
            assert_eq!(status(&[], &with_host(host)), 200, "{host}");
        }
        for host in [
            "evil.example",
            "graph.example.evil.example:8080",
            "localhost.evil.example",
            "1.evil.example",
        ] {
            assert_eq!(status(&[], &with_host(host)), 403, "{host}");
        }
        for host in ["", "a b", "http://localhost"] {
            assert_eq!(status(&[], &with_host(host)), 400, "{host}");
        }
    }

    #[test]
    fn configured_names_are_allowed_and_a_star_allows_any() {
        let configured = ["Airdig.Example.com"];
        assert_eq!(
            status(&configured, &with_host("airdig.example.com:8443")),
            200
        );
        assert_eq!(status(&configured, &with_host("other.example.com")), 403);
        assert_eq!(status(&["*"], &with_host("evil.example")), 200);
    }

    #[test]
    fn a_missing_host_is_allowed_in_http_1_0_only() {
        let mut request = Request::new(Body::empty());
        *request.version_mut() = Version::HTTP_10;
        assert_eq!(status(&[], &request), 200);
        assert_eq!(status(&[], &Request::new(Body::empty())), 400);
    }

    #[test]
    fn the_host_of_an_absolute_uri_is_checked_and_two_host_headers_are_rejected() {
        let get = |uri: &str| Request::get(uri).header("host", "localhost");
        let absolute = get("http://evil.example/graphql").body(Body::empty());
        assert_eq!(status(&[], &absolute.unwrap()), 403);
        let two = get("/graphql")
            .header("host", "evil.example")
            .body(Body::empty());
        assert_eq!(status(&[], &two.unwrap()), 400);
    }

    #[test]
    fn a_scheme_or_a_port_in_allowed_hosts_is_an_error() {
        for bad in [
            "",
            "https://a",
            "a:8080",
            "a/b",
            "a b",
            "*.example.com",
            "[::1]",
        ] {
            assert!(bad.parse::<AllowedHost>().is_err(), "{bad}");
        }
    }
}
