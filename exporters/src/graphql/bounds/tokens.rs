//! Counts the tokens of a query, in one pass without recursion.
//!
//! The words are those of the parser's grammar (`graphql.pest` of async-graphql-parser), so that it cannot see
//! more tokens or more open brackets than are counted here.

use super::limits::{BRACKETS, BYTES, Rejection, TOKENS, WORD, bound};

/// # Errors
/// When the text, a word, the number of tokens or the nesting is too large, or a string does not end.
pub(super) fn check(query: &str) -> Result<(), Rejection> {
    bound("bytes", query.len() as u64, BYTES)?;
    let counted = count(query.as_bytes())?;
    bound("tokens", counted.tokens, TOKENS)?;
    bound("brackets open at once", counted.brackets, BRACKETS)?;
    bound("bytes in a name or a number", counted.word, WORD)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    tokens: u64,
    /// Most that are open at once.
    brackets: u64,
    /// Bytes of the longest name or number.
    word: u64,
}

fn count(text: &[u8]) -> Result<Counted, Rejection> {
    let mut counted = Counted::default();
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
                counted.brackets = counted.brackets.max(open);
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
            counted.word = counted.word.max(length as u64);
        }
        counted.tokens += 1;
        at += length;
    }
    Ok(counted)
}

fn length_while(text: &[u8], is_part: impl Fn(u8) -> bool) -> usize {
    let end = text.iter().position(|byte| !is_part(*byte));
    end.unwrap_or(text.len())
}

/// Bytes of the string at the start; none where it does not end. A block string that does not end is not
/// read as an empty string and another, as the parser does where all else fails.
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

/// Bytes of the number at the start: `00` is two numbers, `1-1` too.
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
    use super::{Counted, check, count};

    fn counted(query: &str) -> (u64, u64) {
        let Counted {
            tokens, brackets, ..
        } = count(query.as_bytes()).unwrap();
        (tokens, brackets)
    }

    fn rejected(query: &str) -> String {
        check(query).unwrap_err().to_string()
    }

    #[test]
    fn tokens_are_those_of_the_grammar() {
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
            assert_eq!(counted(query), expected, "{query}");
        }
    }

    #[test]
    fn an_error_says_what_the_text_has_and_the_limit() {
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
            "the string that begins at byte 7 of the query does not end"
        );
    }

    #[test]
    fn the_parser_cannot_read_brackets_that_a_string_hides_here() {
        // Its grammar reads `"""` that does not end as `""` and the start of another string.
        let hidden = format!("{{ a(b: [\"\"\"\" {} ]) }}", "[".repeat(10_000));
        assert!(check(&hidden).is_err());
        assert!(check("{ a(b: \"\\").is_err());
    }
}
