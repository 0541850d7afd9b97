//! The configuration key `endpoint` of `otlp`.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};

/// A host, a port, and plain text or TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    authority: Authority,
    plain: bool,
}

/// Why an endpoint is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    #[error("endpoint is missing: set it to host:port, such as tempo:4317")]
    Missing,
    #[error("endpoint {0:?} is not host:port, such as tempo:4317")]
    NotHostAndPort(String),
    #[error("endpoint has a user or password: set headers.authorization instead")]
    UserInfo,
    #[error(
        "endpoint {0:?} has a path, which gRPC does not use: remove it, or use the exporter otlp_http for OTLP/HTTP"
    )]
    Path(String),
    #[error("endpoint has the unknown scheme {0:?}: use http, https or dns")]
    Scheme(String),
}

impl Endpoint {
    /// Parses `host:port` with an optional scheme. `plain`: whether an endpoint without a scheme means plain text.
    pub(super) fn parse(text: &str, plain: bool) -> Result<Endpoint, InvalidEndpoint> {
        if text.is_empty() {
            return Err(InvalidEndpoint::Missing);
        }
        let (address, plain) = match text.split_once("://") {
            None => (text, plain),
            Some(("http", rest)) => (rest, true),
            Some(("https", rest)) => (rest, false),
            // The target syntax of gRPC: `dns:///host:port`.
            Some(("dns", rest)) => (rest.trim_start_matches('/'), plain),
            Some((scheme, _)) => return Err(InvalidEndpoint::Scheme(scheme.to_owned())),
        };
        if address.contains('@') {
            return Err(InvalidEndpoint::UserInfo);
        }
        let address = address.strip_suffix('/').unwrap_or(address);
        if address.contains(['/', '?', '#']) {
            return Err(InvalidEndpoint::Path(text.to_owned()));
        }
        match address.parse::<Authority>() {
            Ok(authority) if authority.port_u16().is_some() && !authority.host().is_empty() => {
                Ok(Endpoint { authority, plain })
            }
            _ => Err(InvalidEndpoint::NotHostAndPort(text.to_owned())),
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(super) fn uri(&self) -> Uri {
        self.uri_with_authority(self.authority.clone())
    }

    /// The URI of the endpoint, with `authority` in place of its host and port.
    pub(super) fn uri_with_authority(&self, authority: Authority) -> Uri {
        let scheme = if self.plain {
            Scheme::HTTP
        } else {
            Scheme::HTTPS
        };
        Uri::builder()
            .scheme(scheme)
            .authority(authority)
            .path_and_query("/")
            .build()
            .expect("a scheme, an authority and a path are a URI")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain { "http" } else { "https" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, InvalidEndpoint};

    fn shown(text: &str) -> Result<String, InvalidEndpoint> {
        Endpoint::parse(text, false).map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn the_scheme_selects_plain_text_or_tls() {
        assert_eq!(shown("a:1"), Ok("https://a:1".into()));
        assert_eq!(shown("http://a:1"), Ok("http://a:1".into()));
        assert_eq!(shown("dns:///a_b:1"), Ok("https://a_b:1".into()));
        assert_eq!(shown("https://[::1]:1/"), Ok("https://[::1]:1".into()));
        let insecure = Endpoint::parse("https://a:1", true).unwrap();
        assert!(!insecure.is_plain());
    }

    #[test]
    fn the_error_for_an_invalid_endpoint_names_the_reason_and_hides_the_password() {
        let error = |text: &str| shown(text).unwrap_err().to_string();
        assert!(error("").contains("missing"));
        for invalid in ["a", "https://a", ":4317", "a:b", "a:99999"] {
            assert!(error(invalid).contains("is not host:port"), "{invalid}");
        }
        assert!(error("http://a:4318/v1/traces").contains("otlp_http"));
        assert!(error("unix:///tmp/a.sock").contains("\"unix\""));
        let password = error("http://user:hunter2@a:1");
        assert!(!password.contains("hunter2"), "{password}");
    }
}
