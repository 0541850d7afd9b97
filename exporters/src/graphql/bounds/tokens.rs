//! Counts the tokens of a query, in one pass without recursion.
//!
//! Tokens are those of the parser's grammar (`graphql.pest` of async-graphql-parser), so the parser cannot read more
//! tokens or open brackets than are counted here.

use super::limits::{BRACKETS, BYTES, Rejection, TOKENS, WORD, bound};

/// Checks the size of a query.
///
/// # Errors
/// If the text, a name or number, the number of tokens or the nesting is too large, or a string is not closed.
pub(super) fn check(query: &str) -> Result<(), Rejection> {
    bound("bytes", query.len() as u64, BYTES)?;
    let counts = count(query.as_bytes())?;
    bound("tokens", counts.tokens, TOKENS)?;
    bound("brackets open at once", counts.brackets, BRACKETS)?;
    bound("bytes in a name or a number", counts.word, WORD)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct TokenCounts {
    tokens: u64,
    /// The largest number of brackets that are open at the same time.
    brackets: u64,
    /// Bytes of the longest name or number.
    word: u64,
}

fn count(text: &[u8]) -> Result<TokenCounts, Rejection> {
    let mut counts = TokenCounts::default();
    let mut open = 0u64;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        let length = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += length_while(rest, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => string(rest).ok_or(Rejection::OpenString(at))?,
            b'{' | b'[' | b'(' => {
                open += 1;
                counts.brackets = counts.brackets.max(open);
                1
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                1
            }
            b'.' if rest.starts_with(b"...") => 3,
            b'-' | b'0'..=b'9' => number(rest),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                length_while(rest, |byte| byte == b'_' || byte.is_ascii_alphanumeric())
            }
            _ => 1,
        };
        if byte != b'"' {
            counts.word = counts.word.max(length as u64);
        }
        counts.tokens += 1;
        at += length;
    }
    Ok(counts)
}

fn length_while(text: &[u8], is_part: impl Fn(u8) -> bool) -> usize {
    let end = text.iter().position(|byte| !is_part(*byte));
    end.unwrap_or(text.len())
}

/// The length in bytes of the string at the start of `text`; `None` if the string is not closed. The parser reads an
/// unclosed block string as an empty string followed by another string; here it is an error.
fn string(text: &[u8]) -> Option<usize> {
    let is_block = text.starts_with(b"\"\"\"");
    let mut at = if is_block { 3 } else { 1 };
    loop {
        let rest = text.get(at..)?;
        at += match *rest.first()? {
            b'"' if !is_block => return Some(at + 1),
            b'"' if rest.starts_with(b"\"\"\"") => return Some(at + 3),
            b'\\' if is_block && rest.starts_with(b"\\\"\"\"") => 4,
            b'\\' if !is_block => 2,
            b'\n' | b'\r' if !is_block => return None,
            _ => 1,
        };
    }
}

/// The length in bytes of the number at the start of `text`. `00` and `1-1` are two numbers each.
fn number(text: &[u8]) -> usize {
    let mut at = usize::from(text.starts_with(b"-"));
    let digits = |at: usize| length_while(&text[at..], |byte| byte.is_ascii_digit());
    at += match text.get(at) {
        Some(b'0') => 1,
        _ => digits(at),
    };
    if text.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return at.max(1),
            fraction => at += 1 + fraction,
        }
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        match digits((at + 1 + sign).min(text.len())) {
            0 => return at.max(1),
            exponent => at += 1 + sign + exponent,
        }
    }
    at.max(1)
}

#[cfg(test)]
mod tests {
    use super::{TokenCounts, check, count};

    fn counts(query: &str) -> (u64, u64) {
        let TokenCounts {
            tokens, brackets, ..
        } = count(query.as_bytes()).unwrap();
        (tokens, brackets)
    }

    fn rejected(query: &str) -> String {
        check(query).unwrap_err().to_string()
    }

    #[test]
    fn tokens_are_counted_by_the_grammar_of_the_parser() {
        for (query, expected) in [
            ("", (0, 0)),
            ("query Q($a: [Int!] = [1, -2.5e+3]) { a }", (19, 2)),
            ("{ ...F @skip(if: true) }", (11, 2)),
            ("# { [ ( \n{ a # {{{\r b }", (4, 1)),
            ("\u{feff}{a}", (6, 1)),
            (r#"{ a(b: "{[(\"{", c: """ {" \""" { """) }"#, (11, 2)),
            (r#"["" ""]"#, (4, 1)),
            ("00", (2, 0)),
            ("1-1", (2, 0)),
            ("1.e", (3, 0)),
            ("-", (1, 0)),
            ("1e", (2, 0)),
            ("}}}{", (4, 1)),
        ] {
            assert_eq!(counts(query), expected, "{query}");
        }
    }

    #[test]
    fn an_error_names_the_count_and_the_limit() {
        assert_eq!(
            rejected(&" ".repeat(65_537)),
            "the query has 65537 bytes; the limit is 65536"
        );
        assert_eq!(
            rejected(&format!("{{{}}}", "a ".repeat(5_000))),
            "the query has 5002 tokens; the limit is 5000"
        );
        assert_eq!(
            rejected(&"{".repeat(65)),
            "the query has 65 brackets open at once; the limit is 64"
        );
        assert_eq!(
            rejected(&"a".repeat(129)),
            "the query has 129 bytes in a name or a number; the limit is 128"
        );
        assert_eq!(
            rejected("{ a(b: \"c\n\") }"),
            "the string at byte 7 of the query is not closed"
        );
    }

    #[test]
    fn an_unclosed_block_string_cannot_hide_brackets_from_the_count() {
        // The parser's grammar reads an unclosed `"""` as `""` and the start of another string.
        let hidden = format!("{{ a(b: [\"\"\"\" {} ]) }}", "[".repeat(10_000));
        assert!(check(&hidden).is_err());
        assert!(check("{ a(b: \"\\").is_err());
    }
}
