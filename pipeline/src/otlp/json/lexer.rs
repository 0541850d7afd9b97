//! Reads JSON (RFC 8259) in one forward walk.

use super::numbers::number_length;
use super::rejection::{Rejection, Result};

/// How deep lists and objects may be nested in a field that OTLP does not have.
pub(super) const MAX_UNKNOWN_DEPTH: u32 = 128;

pub(super) struct Lexer<'a> {
    text: &'a str,
    pos: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, pos: 0 }
    }

    /// The first byte of the next token.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8> {
        loop {
            match self.text.as_bytes().get(self.pos) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.pos += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(self.error("the end of the JSON where more is expected")),
            }
        }
    }

    /// Enters a list or an object.
    #[inline]
    pub(super) fn open(&mut self, bracket: u8) -> Result<()> {
        if self.peek()? != bracket {
            let what = if bracket == b'{' {
                "an object"
            } else {
                "a list"
            };
            return Err(self.expected(what));
        }
        self.pos += 1;
        Ok(())
    }

    /// Whether the list or object at hand has another item; passes over the comma before it, or over
    /// the bracket behind the last.
    #[inline]
    pub(super) fn has_next(&mut self, bracket: u8, first: bool) -> Result<bool> {
        let next = self.peek()?;
        if next == bracket {
            self.pos += 1;
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        if next != b',' {
            let what = format!("expected a comma or {:?}", char::from(bracket));
            return Err(self.error(what));
        }
        self.pos += 1;
        if self.peek()? == bracket {
            return Err(self.error("expected another item behind the comma"));
        }
        Ok(true)
    }

    /// Whether the next key is this one, written without escapes and space; passes over it and over the
    /// colon behind it.
    #[inline]
    pub(super) fn is_key(&mut self, key: &str) -> bool {
        let rest = &self.text.as_bytes()[self.pos..];
        let length = key.len();
        let found = rest.len() > length + 2
            && rest[0] == b'"'
            && rest[1..=length] == *key.as_bytes()
            && rest[length + 1..length + 3] == *b"\":";
        self.pos += if found { length + 3 } else { 0 };
        found
    }

    /// A key and the colon behind it.
    #[inline]
    pub(super) fn key<'s>(&mut self, scratch: &'s mut String) -> Result<&'s str>
    where
        'a: 's,
    {
        if self.peek()? != b'"' {
            return Err(self.error("expected a key in quotes"));
        }
        let key = self.text(scratch)?;
        if self.peek()? != b':' {
            return Err(self.error("expected a colon behind the key"));
        }
        self.pos += 1;
        Ok(key)
    }

    /// The text whose opening quote is next. `scratch` holds it where it has escapes.
    #[inline]
    pub(super) fn text<'s>(&mut self, scratch: &'s mut String) -> Result<&'s str>
    where
        'a: 's,
    {
        debug_assert_eq!(self.text.as_bytes()[self.pos], b'"');
        let start = self.pos + 1;
        let end = start + plain_length(&self.text.as_bytes()[start..]);
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.pos = end + 1;
            return Ok(&self.text[start..end]);
        }
        self.escaped_text(scratch)
    }

    fn escaped_text<'s>(&mut self, scratch: &'s mut String) -> Result<&'s str> {
        scratch.clear();
        self.pos += 1;
        loop {
            let end = self.pos + plain_length(&self.text.as_bytes()[self.pos..]);
            scratch.push_str(&self.text[self.pos..end]);
            self.pos = end;
            match self.text.as_bytes().get(end) {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(scratch);
                }
                Some(b'\\') => scratch.push(self.escape()?),
                Some(_) => return Err(self.error("a control character in text")),
                None => return Err(self.error("text without an end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let letter = self.text.as_bytes().get(self.pos + 1);
        let escaped = match letter {
            Some(b'"' | b'\\' | b'/') => char::from(self.text.as_bytes()[self.pos + 1]),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error("an escape that JSON does not have")),
        };
        self.pos += 2;
        Ok(escaped)
    }

    /// `\u00e4`, or two of them that make one character.
    fn unicode_escape(&mut self) -> Result<char> {
        let units = match (self.unit(self.pos), self.unit(self.pos + 6)) {
            (Some(high @ 0xd800..0xdc00), Some(low)) => vec![high, low],
            (Some(unit), _) => vec![unit],
            (None, _) => return Err(self.error("\\u without four hex digits")),
        };
        let length = 6 * units.len();
        let Some(Ok(character)) = char::decode_utf16(units).next() else {
            return Err(self.error("a surrogate without its other half"));
        };
        self.pos += length;
        Ok(character)
    }

    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
    }

    /// The number that is next.
    #[inline]
    pub(super) fn number(&mut self) -> Result<&'a str> {
        let rest = &self.text[self.pos..];
        let Some(length) = number_length(rest.as_bytes()) else {
            return Err(self.error("a number that JSON does not have"));
        };
        self.pos += length;
        Ok(&rest[..length])
    }

    /// Passes over a word, where it is next.
    #[inline]
    pub(super) fn word(&mut self, word: &str) -> Result<bool> {
        self.peek()?;
        let found = self.text.as_bytes()[self.pos..].starts_with(word.as_bytes());
        self.pos += if found { word.len() } else { 0 };
        Ok(found)
    }

    /// Passes over a value of any type, which must be JSON all the same.
    pub(super) fn skip_value(&mut self, scratch: &mut String) -> Result<()> {
        // A bit for each list and object that is open, the innermost lowest: whether it is an object.
        let (mut objects, mut depth) = (0u128, 0);
        loop {
            let mut first = false;
            match self.peek()? {
                bracket @ (b'{' | b'[') => {
                    if depth == MAX_UNKNOWN_DEPTH {
                        let what = format!("nested deeper than {MAX_UNKNOWN_DEPTH}");
                        return Err(Rejection::value(what));
                    }
                    self.pos += 1;
                    objects = objects << 1 | u128::from(bracket == b'{');
                    depth += 1;
                    first = true;
                }
                b'"' => drop(self.text(scratch)?),
                b'-' | b'0'..=b'9' => drop(self.number()?),
                _ if self.word("null")? || self.word("true")? || self.word("false")? => {}
                _ => return Err(self.error("expected a value")),
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let is_object = objects & 1 == 1;
                if self.has_next(if is_object { b'}' } else { b']' }, first)? {
                    if is_object {
                        self.key(scratch)?;
                    }
                    break;
                }
                (objects, depth, first) = (objects >> 1, depth - 1, false);
            }
        }
    }

    /// Checks that nothing but space is left.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.text[self.pos..].trim_ascii().is_empty() {
            return Ok(());
        }
        self.peek()?;
        Err(self.error("more text behind the request"))
    }

    /// The error for a next token that the field does not accept, or that is not JSON.
    #[cold]
    pub(super) fn expected(&mut self, what: &str) -> Box<Rejection> {
        let rest = &self.text[self.pos..];
        let found = match rest.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "text",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ if rest.starts_with("true") || rest.starts_with("false") => "true or false",
            _ if rest.starts_with("null") => "null",
            _ => return self.error(format!("expected {what}")),
        };
        Rejection::value(format!("expected {what}, found {found}"))
    }

    #[cold]
    fn error(&self, what: impl Into<String>) -> Box<Rejection> {
        Rejection::syntax(what, self.pos)
    }
}

/// How many bytes there are before a quote, an escape or a control character.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let mut length = 0;
    // A byte is zero, or below 0x20, where subtracting it borrows from its high bit. Only the bytes
    // behind the first may be wrong.
    for chunk in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("a chunk has 8 bytes"));
        let quote = word ^ (ONES * u64::from(b'"'));
        let escape = word ^ (ONES * u64::from(b'\\'));
        let stops = (quote.wrapping_sub(ONES) & !quote)
            | (escape.wrapping_sub(ONES) & !escape)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        if stops & HIGHS != 0 {
            return length + (stops & HIGHS).trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    length + bytes[length..].iter().take_while(is_plain).count()
}
