//! `endpoint`: where gRPC is spoken, and whether in plain text.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};

/// A host, a port, and plain text or TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    authority: Authority,
    plain: bool,
}

/// No such place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    #[error("endpoint is missing: set it to host:port, such as tempo:4317")]
    Missing,
    #[error("endpoint {0:?} is not host:port, such as tempo:4317")]
    NotHostAndPort(String),
    #[error("endpoint has a user or password: set headers.authorization instead")]
    UserInfo,
    #[error("endpoint {0:?} has a path: gRPC has none; for OTLP/HTTP use the exporter otlp_http")]
    Path(String),
    #[error("endpoint has the scheme {0:?}; only http, https and dns are known")]
    Scheme(String),
}

impl Endpoint {
    /// `host:port`, with a scheme or without; `plain` says what it is without.
    pub(super) fn parse(text: &str, plain: bool) -> Result<Endpoint, InvalidEndpoint> {
        if text.is_empty() {
            return Err(InvalidEndpoint::Missing);
        }
        let (place, plain) = match text.split_once("://") {
            None => (text, plain),
            Some(("http", rest)) => (rest, true),
            Some(("https", rest)) => (rest, false),
            // gRPC's own way to name a host: `dns:///host:port`.
            Some(("dns", rest)) => (rest.trim_start_matches('/'), plain),
            Some((scheme, _)) => return Err(InvalidEndpoint::Scheme(scheme.to_owned())),
        };
        if place.contains('@') {
            return Err(InvalidEndpoint::UserInfo);
        }
        let place = place.strip_suffix('/').unwrap_or(place);
        if place.contains(['/', '?', '#']) {
            return Err(InvalidEndpoint::Path(text.to_owned()));
        }
        match place.parse::<Authority>() {
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
        self.uri_of(self.authority.clone())
    }

    /// The same place under another name.
    pub(super) fn uri_of(&self, authority: Authority) -> Uri {
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
    fn a_scheme_says_whether_it_is_plain_text() {
        assert_eq!(shown("a:1"), Ok("https://a:1".into()));
        assert_eq!(shown("http://a:1"), Ok("http://a:1".into()));
        assert_eq!(shown("dns:///a_b:1"), Ok("https://a_b:1".into()));
        assert_eq!(shown("https://[::1]:1/"), Ok("https://[::1]:1".into()));
        let insecure = Endpoint::parse("https://a:1", true).unwrap();
        assert!(!insecure.is_plain());
    }

    #[test]
    fn what_is_no_place_says_why() {
        let told = |text: &str| shown(text).unwrap_err().to_string();
        assert!(told("").contains("missing"));
        for not_one in ["a", "https://a", ":4317", "a:b", "a:99999"] {
            assert!(told(not_one).contains("is not host:port"), "{not_one}");
        }
        assert!(told("http://a:4318/v1/traces").contains("otlp_http"));
        assert!(told("unix:///tmp/a.sock").contains("\"unix\""));
        let password = told("http://user:hunter2@a:1");
        assert!(!password.contains("hunter2"), "{password}");
    }
}
