//! The configuration key `headers`: names, and secret values.

use std::collections::BTreeMap;
use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use pipeline::config::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// The length in bytes from which a header value is hidden in messages of a server.
const MIN_SECRET_LENGTH: usize = 4;

/// The headers of every request.
#[derive(Clone, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(try_from = "BTreeMap<String, Secret>")]
pub(crate) struct Headers(#[schemars(with = "BTreeMap<String, Secret>")] HeaderMap);

/// An invalid header. The message never contains the value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidHeader {
    #[error("headers has {0:?}, which is not a valid header name")]
    Name(String),
    #[error("headers.{0} has a value that is not valid in a header")]
    Value(String),
}

impl TryFrom<BTreeMap<String, Secret>> for Headers {
    type Error = InvalidHeader;

    fn try_from(written: BTreeMap<String, Secret>) -> Result<Headers, InvalidHeader> {
        let mut headers = HeaderMap::with_capacity(written.len());
        for (key, value) in written {
            let Ok(name) = HeaderName::try_from(&key) else {
                return Err(InvalidHeader::Name(key));
            };
            let Ok(mut value) = HeaderValue::try_from(value.expose()) else {
                return Err(InvalidHeader::Value(key));
            };
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Headers(headers))
    }
}

impl Headers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter()
    }

    /// Hides header values in a message of a server, since some servers echo them. `other_secret` is hidden, too.
    pub(crate) fn scrub(&self, message: &str, other_secret: Option<&HeaderValue>) -> String {
        let mut scrubbed = message.to_owned();
        let values = self.0.values().chain(other_secret);
        for value in values.filter_map(|value| value.to_str().ok()) {
            // A server may echo `Bearer TOKEN` as `TOKEN`.
            let token = value.rsplit(' ').next().unwrap_or_default();
            for secret in [value, token] {
                if secret.len() >= MIN_SECRET_LENGTH {
                    scrubbed = scrubbed.replace(secret, "[hidden]");
                }
            }
        }
        scrubbed
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.keys().map(|name| (name, "[hidden]"));
        f.debug_map().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Headers;

    fn parse(yaml: Value) -> Result<Headers, String> {
        serde_json::from_value(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_hidden_in_debug_output_and_server_messages() {
        let headers = parse(json!({"Authorization": "Bearer hunter2"})).unwrap();
        assert_eq!(format!("{headers:?}"), "{\"authorization\": \"[hidden]\"}");
        assert_eq!(headers.scrub("who is hunter2?", None), "who is [hidden]?");
    }

    #[test]
    fn the_error_for_an_invalid_header_does_not_contain_its_value() {
        let wrong = [
            (json!({"a b": "secret"}), "headers has \"a b\""),
            (json!({"x-key": "sec\nret"}), "headers.x-key has a value"),
        ];
        for (yaml, expected) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(
                error.contains(expected) && !error.contains("sec"),
                "{error}"
            );
        }
    }
}
