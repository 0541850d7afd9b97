//! A text that is never shown.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// A password, a token, a private key: neither `Debug` nor an error tells it.
#[derive(Clone, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[schemars(inline, extend("writeOnly" = true))]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, to send and never to tell.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_does_not_tell_it() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret:?}"), "[hidden]");
    }
}
