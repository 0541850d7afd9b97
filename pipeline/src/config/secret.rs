//! Text that must not appear in logs or error messages.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// A password, a token or a private key. Neither `Debug` nor an error shows it.
#[derive(Clone, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[schemars(inline, extend("writeOnly" = true))]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself. A caller may send it to the destination that it is for, and must not log it.
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
    fn debug_does_not_show_the_secret() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret:?}"), "[hidden]");
    }
}
