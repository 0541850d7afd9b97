//! Separates comments from code.
//!
//! For Rust this is a small lexer: it knows line comments, nested block comments, strings with and without escapes, and
//! characters. It does not know text in attributes such as `#[doc = "…"]`. In the other languages a marker inside of a
//! string counts as the beginning of a comment.

use crate::style::sources::Syntax;

/// The code and the comments of one line. The content of string literals is neither.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SourceLine {
    pub(crate) code: String,
    pub(crate) comment: String,
}

pub(crate) fn split_lines(syntax: Syntax, text: &str) -> Vec<SourceLine> {
    match syntax {
        Syntax::Rust => rust_lines(text),
        Syntax::Markdown => text.lines().map(|line| new_line("", line)).collect(),
        Syntax::Sql => text.lines().map(split_at_dashes).collect(),
        Syntax::Hash => text.lines().map(split_at_hash).collect(),
    }
}

fn new_line(code: &str, comment: &str) -> SourceLine {
    SourceLine {
        code: code.to_owned(),
        comment: comment.to_owned(),
    }
}

fn split_at_dashes(line: &str) -> SourceLine {
    let (code, comment) = line.split_once("--").unwrap_or((line, ""));
    new_line(code, comment)
}

/// A comment begins at the start of the line or after a space: `a#b` is a value in YAML.
fn split_at_hash(line: &str) -> SourceLine {
    let is_marker = |at: &usize| {
        line[..*at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace)
    };
    let marker = line.match_indices('#').map(|(at, _)| at).find(is_marker);
    let (code, comment) = line.split_at(marker.unwrap_or(line.len()));
    new_line(code, comment)
}

#[derive(Clone, Copy)]
enum Token {
    Code,
    Comment,
    Literal,
}

fn rust_lines(text: &str) -> Vec<SourceLine> {
    let mut lines = vec![SourceLine::default()];
    let mut rest = text;
    while !rest.is_empty() {
        let (token, length) = next_token(rest);
        let (piece, after) = rest.split_at(length);
        add_piece(&mut lines, token, piece);
        rest = after;
    }
    lines
}

fn add_piece(lines: &mut Vec<SourceLine>, token: Token, piece: &str) {
    for (index, part) in piece.split('\n').enumerate() {
        if index > 0 {
            lines.push(SourceLine::default());
        }
        let line = lines.last_mut().expect("there is a first line");
        match token {
            Token::Code => line.code.push_str(part),
            Token::Comment => line.comment.push_str(part),
            Token::Literal => {}
        }
    }
}

/// The token at the start of the text, which is not empty, and its length in bytes.
fn next_token(text: &str) -> (Token, usize) {
    if text.starts_with("//") {
        return (Token::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (Token::Comment, block_comment_length(text));
    }
    if let Some(length) = text.strip_prefix('"').map(string_length) {
        return (Token::Literal, 1 + length);
    }
    if let Some(length) = character_length(text) {
        return (Token::Literal, length);
    }
    let word = text
        .find(|c: char| !is_word_character(c))
        .unwrap_or(text.len());
    if let Some(length) = raw_string_length(&text[..word], &text[word..]) {
        return (Token::Literal, word + length);
    }
    (
        Token::Code,
        if word > 0 {
            word
        } else {
            punctuation_length(text)
        },
    )
}

/// The length of the first character and of all that follow up to one that may begin a word, literal or comment.
fn punctuation_length(text: &str) -> usize {
    let may_begin = |c: char| is_word_character(c) || matches!(c, '/' | '"' | '\'');
    let mut following = text.char_indices().skip(1);
    following
        .find(|(_, c)| may_begin(*c))
        .map_or(text.len(), |(at, _)| at)
}

fn block_comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    loop {
        let (change, length) = match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => (1, 2),
            Some(b"*/") => (-1, 2),
            Some(_) => (0, 1),
            None => return text.len(),
        };
        depth += change;
        at += length;
        if depth == 0 {
            return at;
        }
    }
}

/// The length of a string after its opening quote, with its closing quote.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `'a'` or `'\n'`; `None` for a lifetime.
fn character_length(text: &str) -> Option<usize> {
    let content = text.strip_prefix('\'')?;
    let mut characters = content.chars();
    let first = characters.next()?;
    if first == '\\' {
        let escaped = characters.next()?;
        let begin = 2 + escaped.len_utf8();
        return Some(begin + text[begin..].find('\'')? + 1);
    }
    (characters.next() == Some('\'')).then_some(first.len_utf8() + 2)
}

/// The length, after its prefix, of a string such as `r#"…"#`.
fn raw_string_length(prefix: &str, text: &str) -> Option<usize> {
    if !matches!(prefix, "r" | "br" | "cr") {
        return None;
    }
    let hashes = text.len() - text.trim_start_matches('#').len();
    let content = text[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content
        .find(&end)
        .map_or(content.len(), |at| at + end.len());
    Some(hashes + 1 + length)
}

/// Whether the character may be part of an identifier or a word.
pub(crate) fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[test]
fn marks_inside_of_literals_begin_no_comment() {
    let text = "let a = \"//\\\"\"; // one\nlet b = r#\"\"//\"#; /* two\n/* 2 */ three */ f('\"', '\\'', b'/')";
    assert_eq!(
        rust_lines(text),
        [
            new_line("let a = ; ", "// one"),
            new_line("let b = ; ", "/* two"),
            new_line(" f(, , b)", "/* 2 */ three */"),
        ]
    );
}

#[test]
fn lifetimes_are_code() {
    let line = new_line("fn f<'a>(x: &'a str) ", "// it's");
    assert_eq!(rust_lines("fn f<'a>(x: &'a str) // it's"), [line]);
}

#[test]
fn a_hash_inside_of_a_word_begins_no_comment() {
    assert_eq!(split_at_hash("\ta: b#c # d"), new_line("\ta: b#c ", "# d"));
    assert_eq!(split_at_hash("\t# e"), new_line("\t", "# e"));
}
