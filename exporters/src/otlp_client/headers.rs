//! `headers` of the configuration: names, and values that are never shown.

use std::collections::BTreeMap;
use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use pipeline::config::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// Shorter values are not looked for in what a server says.
const TELLING: usize = 4;

/// What is sent with every request.
#[derive(Clone, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(try_from = "BTreeMap<String, Secret>")]
pub(crate) struct Headers(#[schemars(with = "BTreeMap<String, Secret>")] HeaderMap);

/// A header that cannot be sent. Its value is not told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidHeader {
    #[error("headers has {0:?}, which is no header name")]
    Name(String),
    #[error("headers.{0} has a value that a header cannot hold")]
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

    /// What a server said, without the values that we sent: some tell them back.
    /// `also` is one that is not among the headers.
    pub(crate) fn scrub(&self, said: &str, also: Option<&HeaderValue>) -> String {
        let mut scrubbed = said.to_owned();
        let values = self.0.values().chain(also);
        for value in values.filter_map(|value| value.to_str().ok()) {
            // `Bearer TOKEN` is told as `TOKEN` too.
            let token = value.rsplit(' ').next().unwrap_or_default();
            for secret in [value, token] {
                if secret.len() >= TELLING {
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
    fn values_are_neither_shown_nor_told_back() {
        let headers = parse(json!({"Authorization": "Bearer hunter2"})).unwrap();
        assert_eq!(format!("{headers:?}"), "{\"authorization\": \"[hidden]\"}");
        assert_eq!(headers.scrub("who is hunter2?", None), "who is [hidden]?");
    }

    #[test]
    fn what_cannot_be_sent_is_named_without_its_value() {
        let wrong = [
            (json!({"a b": "secret"}), "headers has \"a b\""),
            (json!({"x-key": "sec\nret"}), "headers.x-key has a value"),
        ];
        for (yaml, told) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(told) && !error.contains("sec"), "{error}");
        }
    }
}
