//! Which names a request may have in `Host`.
//!
//! A page of another site can have its own name resolve to this server (DNS rebinding), and then reads the graph
//! as if it were of the same site. The browser sends that name in `Host`.

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

/// A name without a port, in lower case; or `*`, which is any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedHost(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a name without scheme and port, such as airdig.example.com, or * for any")]
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

/// Lower case, and without the dot at the end of a name that is complete.
fn canonical(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// IP addresses, `localhost`, the name of the endpoint and the configured names.
#[derive(Debug)]
pub(super) struct AllowedHosts {
    names: HashSet<String>,
    /// Of the configuration, for messages.
    key: String,
}

impl AllowedHosts {
    pub(super) fn new(
        endpoint: &HostPort,
        configured: &[AllowedHost],
        key: String,
    ) -> AllowedHosts {
        let configured = configured.iter().map(|host| host.0.clone());
        let own = ["localhost".to_owned(), canonical(endpoint.host())];
        AllowedHosts {
            names: configured
                .chain(own)
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

    /// The status and the message of a request that is rejected.
    fn check(&self, request: &Request) -> Result<(), (StatusCode, String)> {
        let bad = |message: &str| Err((StatusCode::BAD_REQUEST, message.to_owned()));
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = match (request.uri().authority(), hosts.next(), hosts.next()) {
            (_, _, Some(_)) => return bad("a request may have one Host"),
            (Some(authority), ..) => authority.clone(),
            (None, Some(host), None) => match Authority::try_from(host.as_bytes()) {
                Ok(host) => host,
                Err(_) => return bad("Host is no host"),
            },
            // Browsers do not send such requests, so no page can. Health checks of load balancers do.
            (None, None, None) if request.version() <= Version::HTTP_10 => return Ok(()),
            (None, None, None) => return bad("a request of HTTP/1.1 must have a Host"),
        };
        let host = host.host();
        match self.allow(host) {
            true => Ok(()),
            false => Err((
                StatusCode::FORBIDDEN,
                format!(
                    "the host {host} is not allowed: ask by IP address, or add it to {}",
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
    fn addresses_and_localhost_and_the_name_of_the_endpoint_are_allowed() {
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
    fn configured_names_are_allowed_and_a_star_is_any() {
        let configured = ["Airdig.Example.com"];
        assert_eq!(
            status(&configured, &with_host("airdig.example.com:8443")),
            200
        );
        assert_eq!(status(&configured, &with_host("other.example.com")), 403);
        assert_eq!(status(&["*"], &with_host("evil.example")), 200);
    }

    #[test]
    fn a_request_without_a_host_is_allowed_before_http_1_1_only() {
        let mut request = Request::new(Body::empty());
        *request.version_mut() = Version::HTTP_10;
        assert_eq!(status(&[], &request), 200);
        assert_eq!(status(&[], &Request::new(Body::empty())), 400);
    }

    #[test]
    fn an_absolute_uri_counts_as_the_host_and_two_hosts_are_rejected() {
        let of = |uri: &str| Request::get(uri).header("host", "localhost");
        let absolute = of("http://evil.example/graphql").body(Body::empty());
        assert_eq!(status(&[], &absolute.unwrap()), 403);
        let two = of("/graphql")
            .header("host", "evil.example")
            .body(Body::empty());
        assert_eq!(status(&[], &two.unwrap()), 400);
    }

    #[test]
    fn a_name_with_a_scheme_or_a_port_is_no_allowed_host() {
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
