//! Policy documents, which APIs return as text.

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

/// Parses a text as JSON. Any other value is returned unchanged.
pub(super) fn parse(document: Json) -> Json {
    let parsed = document.as_str().map(serde_json::from_str);
    match parsed {
        Some(Ok(parsed)) => parsed,
        _ => document,
    }
}

/// Decodes and parses a policy document of IAM, which is percent-encoded (RFC 3986).
pub(super) fn decode(document: &mut Json) {
    let Json::String(text) = document else { return };
    let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
    // An emulator may return plain JSON. It begins with a brace, and encoded JSON never does.
    let plain = if text.starts_with('{') {
        text.clone()
    } else {
        decoded
    };
    *document = parse(plain.into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{decode, parse};

    #[test]
    fn documents_become_json_and_other_text_is_unchanged() {
        let policy = json!({"Statement": [{"Resource": "arn:aws:s3:::a/100%"}]});
        for (text, expected) in [
            (
                json!(
                    "%7B%22Statement%22%3A%5B%7B%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Aa%2F100%25%22%7D%5D%7D"
                ),
                &policy,
            ),
            (json!(policy.to_string()), &policy),
            (json!("no JSON"), &json!("no JSON")),
            (json!(null), &json!(null)),
        ] {
            let mut document = text;
            decode(&mut document);
            assert_eq!(document, *expected);
        }
        assert_eq!(parse(json!(policy.to_string())), policy);
    }
}
