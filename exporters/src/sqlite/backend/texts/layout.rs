//! Joins the texts of one field of a node into the string that the index of trigrams stores.
//!
//! ```text
//!  MARK  cart  W . P  MARK  i  MARK        W is a hash of the whole text, P a hash of its first four
//!                                          characters (one character each), . is half a mark
//! ```
//!
//! A text of one character has no `W`, and a text of fewer than four characters has no `. P`.
//!
//! An exact search looks up one trigram: `W . P`, or for a short text `W . .` or `. i .`. A search for a prefix of four
//! or more characters looks up `. P .` and the trigrams from the third character on. A shorter prefix is looked up with
//! half a mark, or the mark, before it. Only a text that matches, or one with the same hash, has these trigrams.
//! Without them, the index would intersect long lists of common trigrams entry by entry.

use std::collections::BTreeSet;

use pipeline::store::rows::{RESERVED_CHARS, TextMatch};
use pipeline::uid;

/// Stands before the first text, between texts, and after the last one.
const MARK: &str = "\u{2}\u{2}";
const HALF_MARK: char = '\u{2}';

/// The number of characters that the hash of a prefix covers.
const PREFIX_LENGTH: usize = 4;

/// The limit of trigrams that cover a text in a query. More trigrams would hardly exclude more candidates.
const MAX_TRIGRAMS: usize = 12;

/// Joins texts into one string; `None` if there is no text.
pub(super) fn join(texts: &BTreeSet<String>) -> Option<String> {
    if texts.is_empty() {
        return None;
    }
    let mut joined = MARK.to_owned();
    for text in texts {
        joined.push_str(text);
        joined.push_str(&suffix(text));
    }
    Some(joined)
}

/// Splits a joined string into its texts: the inverse of [`join`].
pub(super) fn split(joined: &str) -> impl Iterator<Item = &str> {
    let texts = joined.split(MARK).filter(|text| !text.is_empty());
    texts.map(|text| {
        let text = text.split(HALF_MARK).next().unwrap_or_default();
        let mut characters = text.char_indices();
        match characters.next_back() {
            // A text of one character has no `W`.
            Some((whole, _)) if whole > 0 => &text[..whole],
            _ => text,
        }
    })
}

/// The hashes and the mark after a text.
fn suffix(text: &str) -> String {
    let mut suffix = String::new();
    if has_many_chars(text) {
        suffix.push(hash_char(text));
    }
    if let Some(hash) = prefix_hash(text) {
        suffix.push(HALF_MARK);
        suffix.push(hash);
    }
    suffix + MARK
}

/// Whether a text has more than one character.
fn has_many_chars(text: &str) -> bool {
    text.chars().nth(1).is_some()
}

/// The hash of the first [`PREFIX_LENGTH`] characters of a text; `None` if the text is shorter.
fn prefix_hash(text: &str) -> Option<char> {
    let (last, end) = text.char_indices().nth(PREFIX_LENGTH - 1)?;
    Some(hash_char(&text[..last + end.len_utf8()]))
}

/// A hash of a text, as one of the characters that [`pipeline::store::rows::stored_text`] reserves for indexes.
fn hash_char(text: &str) -> char {
    let (first, last) = (
        u32::from(*RESERVED_CHARS.start()),
        u32::from(*RESERVED_CHARS.end()),
    );
    let offset = uid::hash(text) % u64::from(last - first + 1);
    char::from_u32(first + offset as u32).unwrap_or(*RESERVED_CHARS.start())
}

/// The string that joined texts contain if and only if one of them matches.
pub(super) fn pattern(text: &str, mode: TextMatch) -> String {
    match mode {
        TextMatch::Exact => format!("{MARK}{text}{}", suffix(text)),
        TextMatch::Prefix => format!("{MARK}{text}"),
        TextMatch::Substring => text.to_owned(),
    }
}

/// The query for trigrams that joined texts have if one of them matches; `None` if the text is too short for the index.
pub(super) fn query(text: &str, mode: TextMatch) -> Option<String> {
    let whole: Vec<char> = text.chars().collect();
    let mut trigrams = Vec::new();
    match mode {
        TextMatch::Exact => trigrams.push(match (prefix_hash(text), has_many_chars(text)) {
            (Some(prefix), _) => vec![hash_char(text), HALF_MARK, prefix],
            (None, true) => vec![hash_char(text), HALF_MARK, HALF_MARK],
            (None, false) => vec![HALF_MARK, *whole.first()?, HALF_MARK],
        }),
        TextMatch::Prefix => match prefix_hash(text) {
            Some(prefix) => {
                trigrams.push(vec![HALF_MARK, prefix, HALF_MARK]);
                trigrams.extend(cover(whole.get(PREFIX_LENGTH - 2..).unwrap_or_default()));
            }
            None => {
                let mark = if whole.len() < 2 { MARK } else { "\u{2}" };
                let marked: Vec<char> = mark.chars().chain(whole).collect();
                trigrams.extend(cover(&marked));
            }
        },
        TextMatch::Substring => trigrams.extend(cover(&whole)),
    }
    let terms: Vec<String> = trigrams.iter().map(|trigram| quote(trigram)).collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

/// Trigrams that cover a text: the first [`MAX_TRIGRAMS`] of them, which do not overlap, and the last trigram of the
/// text.
fn cover(text: &[char]) -> Vec<Vec<char>> {
    let Some(last) = text.len().checked_sub(3) else {
        return Vec::new();
    };
    let starts = (0..last).step_by(3).take(MAX_TRIGRAMS).chain([last]);
    starts
        .map(|start| text[start..start + 3].to_vec())
        .collect()
}

/// A trigram as a string of the query language of FTS5.
fn quote(trigram: &[char]) -> String {
    let text: String = trigram.iter().collect();
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_inverts_join() {
        for texts in [
            &["i"][..],
            &["ab"],
            &["abc", "abcd", "cart-worker", "i", "ä"],
        ] {
            let texts: BTreeSet<String> = texts.iter().map(|&text| text.to_owned()).collect();
            let joined = join(&texts).unwrap();
            assert!(
                split(&joined).eq(texts.iter().map(String::as_str)),
                "{joined:?}"
            );
        }
    }

    #[test]
    fn joined_texts_have_the_pattern_and_the_trigrams_of_each_query() {
        let text = "cart-worker";
        for length in 1..=text.len() {
            let whole = join(&[text[..length].to_owned()].into()).unwrap();
            let longer = join(&[text.to_owned()].into()).unwrap();
            let all = [
                (TextMatch::Exact, &whole),
                (TextMatch::Prefix, &whole),
                (TextMatch::Prefix, &longer),
                (TextMatch::Substring, &longer),
            ];
            for (mode, joined) in all {
                assert!(
                    joined.contains(&pattern(&text[..length], mode)),
                    "{length} {mode:?}"
                );
                let Some(query) = query(&text[..length], mode) else {
                    assert!(mode == TextMatch::Substring && length < 3);
                    continue;
                };
                for trigram in query.split(' ') {
                    assert!(
                        joined.contains(trigram.trim_matches('"')),
                        "{length} {mode:?}"
                    );
                }
            }
            let other = join(&["cart-works".to_owned()].into()).unwrap();
            let exact = query(&text[..length], TextMatch::Exact).unwrap();
            assert!(!other.contains(exact.trim_matches('"')), "{length}");
        }
    }
}
