//! Tests of the JSON lexer: valid and invalid JSON, compared with serde.

use proptest::prelude::*;
use serde_json::Value as Json;

use crate::otlp::json::lexer::{Lexer, MAX_UNKNOWN_DEPTH, plain_length};

/// Whether the whole text is JSON.
fn is_json(text: &str) -> bool {
    let mut lexer = Lexer::new(text);
    lexer.skip_value(&mut String::new()).is_ok() && lexer.finish().is_ok()
}

#[test]
fn invalid_json_is_rejected_and_valid_json_accepted() {
    for text in [
        "",
        " ",
        "[",
        "]",
        "{",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "01",
        "1.",
        "+1",
        ".5",
        "NaN",
        "nul",
        "nullx",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\n\"",
        "\"\t\"",
        "[1}",
        "{\"a\":1]",
        "1 1",
        "\u{feff}1",
        "\u{a0}1",
    ] {
        assert!(!is_json(text), "{text:?}");
    }
    for text in [
        "null",
        " [ ] ",
        "{ }",
        "[[],{}]",
        "{\"a\" : [ 1 , \"\\u00E4\\ud83d\\uDE00\\/\" ] }\n",
        "\"\\\\\"",
    ] {
        assert!(is_json(text), "{text:?}");
    }
}

#[test]
fn escapes_are_decoded() {
    let mut scratch = String::new();
    let text = Lexer::new(r#""a\"\\\/\b\f\n\r\t\u0041\u00e4\ud83d\ude00 plain 😀""#)
        .text(&mut scratch)
        .unwrap()
        .to_owned();
    assert_eq!(text, "a\"\\/\u{8}\u{c}\n\r\tAä😀 plain 😀");
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: u32| "[".repeat(depth as usize) + &"]".repeat(depth as usize);
    assert!(is_json(&nested(MAX_UNKNOWN_DEPTH)));
    assert!(!is_json(&nested(MAX_UNKNOWN_DEPTH + 1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn serde_accepts_the_same_json(
        text in "([\\[\\]{},: \\n]|[0-9.eE+-]{1,3}|\"[a-z\\\\\"u0-9ä]{0,5}\"|true|false|null){0,8}",
    ) {
        prop_assert_eq!(is_json(&text), serde_json::from_str::<Json>(&text).is_ok(), "{:?}", text);
    }

    #[test]
    fn serde_reads_the_same_texts(text in any::<String>()) {
        let json = serde_json::to_string(&text).unwrap();
        let mut scratch = String::new();
        prop_assert_eq!(Lexer::new(&json).text(&mut scratch).unwrap(), text);
    }

    #[test]
    fn plain_length_ends_at_the_first_special_byte(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        prop_assert_eq!(plain_length(&bytes), expected.unwrap_or(bytes.len()));
    }
}
