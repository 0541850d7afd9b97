//! The URL for the requests of one signal. Messages do not show its secrets.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// A URL. Its user and password become the header `Authorization`, as in browsers and Go.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Destination {
    uri: Uri,
    authorization: Option<HeaderValue>,
}

/// Why a URL is invalid. Messages do not contain the URL, since it may contain a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    #[error("{key} is not a URL such as http://collector:4318{path}")]
    NotUrl {
        key: &'static str,
        path: &'static str,
    },
    #[error("{key} has a query: set traces_endpoint, metrics_endpoint and logs_endpoint instead")]
    Query { key: &'static str },
    #[error("{key} has a user or password that is not valid in a header")]
    UserInfo { key: &'static str },
}

impl Destination {
    /// Parses the URL of one signal. `key` is its configuration key. `path` completes the example URL in errors.
    pub(super) fn parse(
        key: &'static str,
        path: &'static str,
        url: &str,
    ) -> Result<Destination, InvalidUrl> {
        let not_url = || InvalidUrl::NotUrl { key, path };
        let uri: Uri = url.parse().map_err(|_| not_url())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(not_url());
        }
        let mut parts = uri.into_parts();
        let authority = parts.authority.take().ok_or_else(not_url)?;
        let (userinfo, address) = match authority.as_str().rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, authority.as_str()),
        };
        let address: Authority = address.parse().map_err(|_| not_url())?;
        let port_is_valid = address.as_str() == address.host() || address.port_u16().is_some();
        if address.host().is_empty() || !port_is_valid {
            return Err(not_url());
        }
        parts.authority = Some(address);
        if parts.path_and_query.is_none() {
            parts.path_and_query = Some(PathAndQuery::from_static("/"));
        }
        Ok(Destination {
            uri: Uri::from_parts(parts).map_err(|_| not_url())?,
            authorization: userinfo
                .map(|userinfo| basic_authorization(userinfo).ok_or(InvalidUrl::UserInfo { key }))
                .transpose()?,
        })
    }

    /// Appends the path of one signal to `base`, the value of `endpoint`.
    pub(super) fn below(base: &str, path: &'static str) -> Result<Destination, InvalidUrl> {
        let key = "endpoint";
        if base.contains(['?', '#']) {
            return Err(InvalidUrl::Query { key });
        }
        let base = base.strip_suffix('/').unwrap_or(base);
        Destination::parse(key, "", &format!("{base}{path}"))
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    pub(super) fn is_plain(&self) -> bool {
        self.uri.scheme_str() == Some("http")
    }
}

/// The value of `Authorization` for a user and password.
fn basic_authorization(userinfo: &str) -> Option<HeaderValue> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let user = percent_decode_str(user).decode_utf8().ok()?;
    let password = percent_decode_str(password).decode_utf8().ok()?;
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Formats the URL without the query, which may contain a token.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let address = self.uri.authority().map_or("", Authority::as_str);
        write!(f, "{scheme}://{address}{}", self.uri.path())
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::Destination;

    fn parse_error(url: &str) -> String {
        let error = Destination::parse("logs_endpoint", "/v1/logs", url).unwrap_err();
        error.to_string()
    }

    #[test]
    fn the_path_of_a_signal_is_appended_to_the_endpoint() {
        for base in ["http://loki:3100/otlp", "http://loki:3100/otlp/"] {
            let logs = Destination::below(base, "/v1/logs").unwrap();
            assert_eq!(logs.to_string(), "http://loki:3100/otlp/v1/logs");
        }
        let error = Destination::below("http://a/?b=c", "/v1/logs").unwrap_err();
        assert!(error.to_string().starts_with("endpoint has a query"));
    }

    #[test]
    fn user_and_query_are_sent_but_not_shown() {
        let url = "https://me:p%40ss@a:1/v1/logs?key=hunter2";
        let logs = Destination::parse("logs_endpoint", "/v1/logs", url).unwrap();
        assert_eq!(format!("{logs:?}"), "https://a:1/v1/logs");
        assert_eq!(logs.uri().to_string(), "https://a:1/v1/logs?key=hunter2");
        assert_eq!(logs.authorization().unwrap(), "Basic bWU6cEBzcw==");
    }

    #[test]
    fn the_error_for_an_invalid_url_does_not_contain_it() {
        for url in [
            "loki:3100",
            "ftp://a/b",
            "http://",
            "http://a:b/",
            "https://me:hunter2@ /",
        ] {
            let error = parse_error(url);
            assert!(
                error.contains("logs_endpoint is not a URL"),
                "{url}: {error}"
            );
            assert!(!error.contains("hunter2"));
        }
    }
}
