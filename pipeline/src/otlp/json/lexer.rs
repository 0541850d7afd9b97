//! Reads JSON (RFC 8259) in one forward walk.

use super::numbers::number_length;
use super::rejection::{JsonRejection, Result};

/// The nesting limit of lists and objects in the value of an unknown field.
pub(super) const MAX_UNKNOWN_DEPTH: u32 = 128;

/// White space of JSON (RFC 8259, section 2); ASCII has more.
const WHITE_SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

/// Reads the tokens of a JSON text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    pos: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, pos: 0 }
    }

    /// Skips white space and returns the first byte of the next token.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8> {
        loop {
            match self.text.as_bytes().get(self.pos) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.pos += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(self.error("the JSON ends where more is expected")),
            }
        }
    }

    /// Reads the opening bracket of a list or an object.
    #[inline]
    pub(super) fn open(&mut self, bracket: u8) -> Result<()> {
        if self.peek()? != bracket {
            let expected = if bracket == b'{' {
                "an object"
            } else {
                "a list"
            };
            return Err(self.expected(expected));
        }
        self.pos += 1;
        Ok(())
    }

    /// Whether the current list or object has another item. Reads the comma before the item, or the closing bracket
    /// after the last item. `is_first` means that no item was read yet.
    #[inline]
    pub(super) fn has_next(&mut self, bracket: u8, is_first: bool) -> Result<bool> {
        let next = self.peek()?;
        if next == bracket {
            self.pos += 1;
            return Ok(false);
        }
        if is_first {
            return Ok(true);
        }
        if next != b',' {
            let reason = format!("expected a comma or {:?}", char::from(bracket));
            return Err(self.error(reason));
        }
        self.pos += 1;
        if self.peek()? == bracket {
            return Err(self.error("expected another item after the comma"));
        }
        Ok(true)
    }

    /// If the text continues with this key and a colon, without escapes and white space, reads both. Returns whether it
    /// does.
    #[inline]
    pub(super) fn read_key_if(&mut self, key: &str) -> bool {
        let rest = &self.text.as_bytes()[self.pos..];
        let length = key.len();
        let is_key = rest.len() > length + 2
            && rest[0] == b'"'
            && rest[1..=length] == *key.as_bytes()
            && rest[length + 1..length + 3] == *b"\":";
        self.pos += if is_key { length + 3 } else { 0 };
        is_key
    }

    /// Reads a key and the colon after it.
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
            return Err(self.error("expected a colon after the key"));
        }
        self.pos += 1;
        Ok(key)
    }

    /// Reads text, whose opening quote is next. Text with escapes is written to `scratch`.
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
                None => return Err(self.error("text without a closing quote")),
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
            _ => return Err(self.error("an invalid escape")),
        };
        self.pos += 2;
        Ok(escaped)
    }

    /// Reads `\u00e4`, or two such escapes that form one character.
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

    /// The UTF-16 code unit of the escape at a position; `None` if there is no such escape.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
    }

    /// Reads a number.
    #[inline]
    pub(super) fn number(&mut self) -> Result<&'a str> {
        let rest = &self.text[self.pos..];
        let Some(length) = number_length(rest.as_bytes()) else {
            return Err(self.error("an invalid number"));
        };
        self.pos += length;
        Ok(&rest[..length])
    }

    /// If the text continues with a word such as `null`, reads it. Returns whether it does.
    #[inline]
    pub(super) fn read_word_if(&mut self, word: &str) -> Result<bool> {
        self.peek()?;
        let is_word = self.text.as_bytes()[self.pos..].starts_with(word.as_bytes());
        self.pos += if is_word { word.len() } else { 0 };
        Ok(is_word)
    }

    /// Skips a value of any type. Rejects a value that is not valid JSON.
    pub(super) fn skip_value(&mut self, scratch: &mut String) -> Result<()> {
        // A bit for each open list and object: 1 for an object. The lowest bit is that of the innermost one.
        let (mut objects, mut depth) = (0u128, 0);
        loop {
            let mut is_first = false;
            match self.peek()? {
                bracket @ (b'{' | b'[') => {
                    if depth == MAX_UNKNOWN_DEPTH {
                        let reason = format!("nested deeper than {MAX_UNKNOWN_DEPTH}");
                        return Err(JsonRejection::value(reason));
                    }
                    self.pos += 1;
                    objects = objects << 1 | u128::from(bracket == b'{');
                    depth += 1;
                    is_first = true;
                }
                b'"' => drop(self.text(scratch)?),
                b'-' | b'0'..=b'9' => drop(self.number()?),
                _ if self.read_word_if("null")?
                    || self.read_word_if("true")?
                    || self.read_word_if("false")? => {}
                _ => return Err(self.error("expected a value")),
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let is_object = objects & 1 == 1;
                if self.has_next(if is_object { b'}' } else { b']' }, is_first)? {
                    if is_object {
                        self.key(scratch)?;
                    }
                    break;
                }
                (objects, depth, is_first) = (objects >> 1, depth - 1, false);
            }
        }
    }

    /// Checks that only white space remains.
    pub(super) fn finish(mut self) -> Result<()> {
        let rest = self.text[self.pos..].trim_start_matches(WHITE_SPACE);
        if rest.is_empty() {
            return Ok(());
        }
        self.pos = self.text.len() - rest.len();
        Err(self.error("more text after the request"))
    }

    /// The error for a token that the field does not accept, or that is not JSON.
    #[cold]
    pub(super) fn expected(&mut self, expected: &str) -> Box<JsonRejection> {
        let rest = &self.text[self.pos..];
        let found = match rest.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "text",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ if rest.starts_with("true") || rest.starts_with("false") => "true or false",
            _ if rest.starts_with("null") => "null",
            _ => return self.error(format!("expected {expected}")),
        };
        JsonRejection::value(format!("expected {expected}, found {found}"))
    }

    #[cold]
    fn error(&self, reason: impl Into<String>) -> Box<JsonRejection> {
        JsonRejection::syntax(reason, self.pos)
    }
}

/// The number of bytes before the first quote, escape or control character.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let mut length = 0;
    // Subtraction sets the high bit of a byte that is 0 or below 0x20. A borrow may also set the high bit of a later
    // byte, but never that of an earlier byte.
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
