//! CORS: which web pages may send data.

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::config::CorsConfig;

/// The layer that adds the CORS headers; `None` if no origin is allowed.
pub(super) fn layer(config: &CorsConfig) -> Option<CorsLayer> {
    if config.allowed_origins.is_empty() {
        return None;
    }
    let patterns = config.allowed_origins.clone();
    let origins = AllowOrigin::predicate(move |origin: &HeaderValue, _: &Parts| {
        patterns
            .iter()
            .any(|pattern| matches(pattern, origin.as_bytes()))
    });
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        .allow_headers(headers(&config.allowed_headers));
    Some(match config.max_age() {
        Some(age) => layer.max_age(age),
        None => layer,
    })
}

fn headers(names: &[String]) -> AllowHeaders {
    if names.iter().any(|name| name == "*") {
        return AllowHeaders::mirror_request();
    }
    let always = [
        header::ACCEPT,
        header::ACCEPT_LANGUAGE,
        header::CONTENT_LANGUAGE,
        header::CONTENT_TYPE,
    ];
    let configured = names.iter().map(|name| {
        let parsed: Result<HeaderName, _> = name.parse();
        parsed.expect("checked in the configuration")
    });
    AllowHeaders::list(always.into_iter().chain(configured))
}

/// Whether `origin` matches `pattern`, ignoring ASCII case. The first `*` stands for any text.
fn matches(pattern: &str, origin: &[u8]) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern.as_bytes().eq_ignore_ascii_case(origin);
    };
    let Some(suffix_start) = origin.len().checked_sub(after.len()) else {
        return false;
    };
    suffix_start >= before.len()
        && origin[..before.len()].eq_ignore_ascii_case(before.as_bytes())
        && origin[suffix_start..].eq_ignore_ascii_case(after.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn star_matches_any_text() {
        for (pattern, origin, expected) in [
            ("*", "http://a", true),
            ("https://*.example.com", "https://shop.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://x.example.com.evil", false),
            ("http://localhost:*", "http://localhost:8080", true),
            ("http://a", "http://A", true),
            ("http://a", "http://ab", false),
        ] {
            assert_eq!(
                matches(pattern, origin.as_bytes()),
                expected,
                "{pattern} {origin}"
            );
        }
    }
}
