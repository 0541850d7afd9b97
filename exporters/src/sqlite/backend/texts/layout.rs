//! The texts of one field of a node are indexed as one string, which trigrams find.
//!
//! ```text
//!  MARK  cart  W . B  MARK  i  MARK        W stands for the whole text, B for its first four characters,
//!                                          . is half a mark
//! ```
//!
//! The index finds a whole text by the trigram `W . B`, a text that begins with four characters or more by
//! `. B .` and the trigrams of the rest, and a shorter beginning by half a mark before it. No other part of a
//! string has these trigrams. Without them the index would compare the lists of common trigrams entry by entry.

use std::collections::BTreeSet;

use pipeline::store::rows::{RESERVED, TextMatch};
use pipeline::uid;

/// Stands before, between and after texts.
const MARK: &str = "\u{2}\u{2}";
const HALF: char = '\u{2}';

/// Characters that a beginning has.
const BEGINNING: usize = 4;

/// Trigrams of a text that are looked up: more find hardly less.
const TRIGRAMS: usize = 12;

/// All as one; none where there are none.
pub(super) fn joined(texts: &BTreeSet<String>) -> Option<String> {
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

/// The inverse of [`joined`].
pub(super) fn split(joined: &str) -> impl Iterator<Item = &str> {
    let texts = joined.split(MARK).filter(|text| !text.is_empty());
    texts.map(|text| {
        let text = text.split(HALF).next().unwrap_or_default();
        let mut characters = text.char_indices();
        match characters.next_back() {
            // A text of one character has no `W`.
            Some((whole, _)) if whole > 0 => &text[..whole],
            _ => text,
        }
    })
}

/// What stands after a text.
fn suffix(text: &str) -> String {
    let mut suffix = String::new();
    if has_several(text) {
        suffix.push(hash_character(text));
    }
    if let Some(begins) = beginning(text) {
        suffix.push(HALF);
        suffix.push(begins);
    }
    suffix + MARK
}

/// Whether a text has more than one character.
fn has_several(text: &str) -> bool {
    text.chars().nth(1).is_some()
}

/// The character that stands for how a text begins; none for one that is too short.
fn beginning(text: &str) -> Option<char> {
    let (last, end) = text.char_indices().nth(BEGINNING - 1)?;
    Some(hash_character(&text[..last + end.len_utf8()]))
}

/// One of those that [`pipeline::store::rows::kept`] leaves to indexes.
fn hash_character(text: &str) -> char {
    let (first, last) = (u32::from(*RESERVED.start()), u32::from(*RESERVED.end()));
    let place = uid::hash(text) % u64::from(last - first + 1);
    char::from_u32(first + place as u32).unwrap_or(*RESERVED.start())
}

/// What stands in the joined texts where one of them matches.
pub(super) fn pattern(text: &str, how: TextMatch) -> String {
    match how {
        TextMatch::Exact => format!("{MARK}{text}{}", suffix(text)),
        TextMatch::Prefix => format!("{MARK}{text}"),
        TextMatch::Part => text.to_owned(),
    }
}

/// A query for the trigrams that joined texts have where one matches; none where it is too short.
pub(super) fn query(text: &str, how: TextMatch) -> Option<String> {
    let whole: Vec<char> = text.chars().collect();
    let mut trigrams = Vec::new();
    match how {
        TextMatch::Exact => trigrams.push(match (beginning(text), has_several(text)) {
            (Some(begins), _) => vec![hash_character(text), HALF, begins],
            (None, true) => vec![hash_character(text), HALF, HALF],
            (None, false) => vec![HALF, *whole.first()?, HALF],
        }),
        TextMatch::Prefix => match beginning(text) {
            Some(begins) => {
                trigrams.push(vec![HALF, begins, HALF]);
                trigrams.extend(parts(whole.get(BEGINNING - 2..).unwrap_or_default()));
            }
            None => {
                let mark = if whole.len() < 2 { MARK } else { "\u{2}" };
                let begins: Vec<char> = mark.chars().chain(whole).collect();
                trigrams.extend(parts(&begins));
            }
        },
        TextMatch::Part => trigrams.extend(parts(&whole)),
    }
    let quoted = trigrams.iter().map(|trigram| quoted(trigram));
    let query: Vec<String> = quoted.collect();
    (!query.is_empty()).then(|| query.join(" "))
}

/// Trigrams that cover a text; they overlap only at the end.
fn parts(text: &[char]) -> Vec<Vec<char>> {
    let Some(last) = text.len().checked_sub(3) else {
        return Vec::new();
    };
    let starts = (0..last).step_by(3).take(TRIGRAMS).chain([last]);
    starts
        .map(|start| text[start..start + 3].to_vec())
        .collect()
}

fn quoted(trigram: &[char]) -> String {
    let text: String = trigram.iter().collect();
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_texts_are_split_again() {
        for texts in [
            &["i"][..],
            &["ab"],
            &["abc", "abcd", "cart-worker", "i", "ä"],
        ] {
            let texts: BTreeSet<String> = texts.iter().map(|&text| text.to_owned()).collect();
            let joined = joined(&texts).unwrap();
            assert!(
                split(&joined).eq(texts.iter().map(String::as_str)),
                "{joined:?}"
            );
        }
    }

    #[test]
    fn joined_texts_have_the_trigrams_that_are_looked_up() {
        let text = "cart-worker";
        for length in 1..=text.len() {
            let whole = joined(&[text[..length].to_owned()].into()).unwrap();
            let longer = joined(&[text.to_owned()].into()).unwrap();
            let all = [
                (TextMatch::Exact, &whole),
                (TextMatch::Prefix, &whole),
                (TextMatch::Prefix, &longer),
                (TextMatch::Part, &longer),
            ];
            for (how, joined) in all {
                assert!(
                    joined.contains(&pattern(&text[..length], how)),
                    "{length} {how:?}"
                );
                let Some(query) = query(&text[..length], how) else {
                    assert!(how == TextMatch::Part && length < 3);
                    continue;
                };
                for trigram in query.split(' ') {
                    assert!(
                        joined.contains(trigram.trim_matches('"')),
                        "{length} {how:?}"
                    );
                }
            }
            let other = joined(&["cart-works".to_owned()].into()).unwrap();
            let exact = query(&text[..length], TextMatch::Exact).unwrap();
            assert!(!other.contains(exact.trim_matches('"')), "{length}");
        }
    }
}
