//! Comments and documents use plain technical English and one word for one thing.
//!
//! The check knows words, not sentences. It does not find a phrase that continues on the next line, or words in string
//! literals, and it reads code in Markdown like prose.

use crate::style::assert_none;
use crate::style::comments::is_word_character;
use crate::style::sources::sources;

/// Words and phrases in lower case, and what to write instead.
const BANNED: [(&[&str], &str); 10] = [
    (
        &["tell", "tells", "telling", "told", "said"],
        "write report, emit, record or state; or distinguish",
    ),
    (
        &[
            "nobody",
            "somebody",
            "anybody",
            "everybody",
            "no one",
            "whoever",
            "whomever",
            "whom",
        ],
        "name the component, sender, reader or process that acts",
    ),
    (&["crew"], "write task set"),
    (
        &["verdict", "verdicts"],
        "write acknowledgement, ack, nack or outcome",
    ),
    (
        &["what has ended", "what have ended"],
        "name the thing: a node that has ended, a tombstone",
    ),
    (
        &["what waits", "who waits", "whoever waits"],
        "write backlog, in flight or waiting sender",
    ),
    (
        &["comes too late", "come too late", "came too late"],
        "write late row, lateness or watermark",
    ),
    (
        &["stands at", "stand at", "stood at"],
        "write is, or has the value",
    ),
    (
        &["wins by", "seen by itself"],
        "write last-writer-wins, upsert or merge; observation",
    ),
    (
        &["for good", "in vain", "asked for"],
        "write permanently, without result, requested",
    ),
];

/// Uses of banned words that are right: the path, the word and the reason.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

#[test]
fn comments_and_documents_contain_no_banned_word() {
    let mut mistakes = Vec::new();
    for source in sources() {
        for (number, line) in (1..).zip(&source.lines) {
            for (word, advice) in banned_words(&line.comment) {
                if !is_exception(&source.path, word) {
                    mistakes.push(format!("{}:{number}: {word:?}: {advice}", source.path));
                }
            }
        }
    }
    assert_none(&mistakes);
}

fn is_exception(path: &str, word: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|exception| (exception.0, exception.1) == (path, word))
}

fn banned_words(comment: &str) -> Vec<(&'static str, &'static str)> {
    let comment = comment.to_lowercase();
    let mut found = Vec::new();
    for (words, advice) in BANNED {
        let occurring = words.iter().filter(|word| contains_word(&comment, word));
        found.extend(occurring.map(|word| (*word, advice)));
    }
    found
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(is_word_character) && !after.starts_with(is_word_character)
    })
}

#[test]
fn banned_words_are_found_as_whole_words_only() {
    let found = banned_words("/// Told once. It stands at `retold`, told_at.");
    let words: Vec<_> = found.into_iter().map(|(word, _)| word).collect();
    assert_eq!(words, ["told", "stands at"]);
}
