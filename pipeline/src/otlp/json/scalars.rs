//! Single values: JSON → protobuf's wire format.

use std::borrow::Cow;

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine as _};

use super::buffer::{MessageBuffer, Scalar};
use super::lexer::Lexer;
use super::numbers::{double, integer, is_number};
use super::rejection::{Rejection, Result};
use crate::otlp::descriptors::Kind;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A number, `true`, `false`, or a value of an enum.
#[inline]
pub(super) fn read_scalar(
    lexer: &mut Lexer<'_>,
    scratch: &mut String,
    kind: Kind,
) -> Result<Scalar> {
    let token = read_token(lexer, scratch)?;
    let scalar = match (&token, kind) {
        (Token::Bool(value), Kind::Bool) => Some(Scalar::Varint(u64::from(*value))),
        (Token::Number(number), Kind::Double) => double(number).map(double_scalar),
        (Token::Text(text), Kind::Double) => special_double(text).map(double_scalar),
        (Token::Text(name), Kind::Enum(names)) => {
            let value = names.iter().position(|known| known == name);
            value.map(|value| Scalar::Varint(value as u64))
        }
        (Token::Number(number), _) => integer(number).and_then(|value| integer_scalar(kind, value)),
        _ => None,
    };
    scalar.ok_or_else(|| Rejection::value(format!("expected {}, found {token}", expected(kind))))
}

/// What a value begins with.
enum Token<'s> {
    Bool(bool),
    /// A number of JSON, in quotes or without.
    Number(&'s str),
    /// Other text.
    Text(&'s str),
    List,
    Object,
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Bool(value) => write!(f, "{value}"),
            Token::Number(number) => write!(f, "{number:.40}"),
            Token::Text(text) => write!(f, "{:?}", &text[..text.floor_char_boundary(40)]),
            Token::List => f.write_str("a list"),
            Token::Object => f.write_str("an object"),
        }
    }
}

#[inline]
fn read_token<'s, 'a: 's>(lexer: &mut Lexer<'a>, scratch: &'s mut String) -> Result<Token<'s>> {
    match lexer.peek()? {
        b'"' => {
            let text = lexer.text(scratch)?;
            Ok(if is_number(text) {
                Token::Number(text)
            } else {
                Token::Text(text)
            })
        }
        b'-' | b'0'..=b'9' => lexer.number().map(Token::Number),
        b'[' => Ok(Token::List),
        b'{' => Ok(Token::Object),
        _ if lexer.word("true")? => Ok(Token::Bool(true)),
        _ if lexer.word("false")? => Ok(Token::Bool(false)),
        _ => Err(lexer.expected("a value")),
    }
}

fn double_scalar(value: f64) -> Scalar {
    Scalar::Fixed64(value.to_bits())
}

fn special_double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// None where the kind does not hold the value.
#[inline]
fn integer_scalar(kind: Kind, value: i128) -> Option<Scalar> {
    Some(match kind {
        Kind::Int32 | Kind::Enum(_) => {
            let value = i32::try_from(value).ok()?;
            Scalar::Varint(i64::from(value) as u64)
        }
        Kind::Sint32 => {
            let value = i32::try_from(value).ok()?;
            Scalar::Varint(u64::from((value << 1 ^ value >> 31) as u32))
        }
        Kind::Uint32 => Scalar::Varint(u64::from(u32::try_from(value).ok()?)),
        Kind::Fixed32 => Scalar::Fixed32(u32::try_from(value).ok()?),
        Kind::Int64 => Scalar::Varint(i64::try_from(value).ok()? as u64),
        Kind::Sfixed64 => Scalar::Fixed64(i64::try_from(value).ok()? as u64),
        Kind::Uint64 => Scalar::Varint(u64::try_from(value).ok()?),
        Kind::Fixed64 => Scalar::Fixed64(u64::try_from(value).ok()?),
        Kind::Text | Kind::Bool | Kind::Double | Kind::Bytes | Kind::Id(_) | Kind::Message(_) => {
            return None;
        }
    })
}

#[cold]
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true or false".into(),
        Kind::Double => "a number of 64 bits, \"NaN\", \"Infinity\" or \"-Infinity\"".into(),
        Kind::Enum(names) => format!("an integer of 32 bits or a name like {}", names[0]),
        Kind::Int32 | Kind::Sint32 => "an integer of 32 bits".into(),
        Kind::Uint32 | Kind::Fixed32 => "an integer of 32 bits that is not negative".into(),
        Kind::Int64 | Kind::Sfixed64 => "an integer of 64 bits".into(),
        Kind::Uint64 | Kind::Fixed64 => "an integer of 64 bits that is not negative".into(),
        Kind::Text | Kind::Bytes | Kind::Id(_) => "text".into(),
        Kind::Message(_) => "an object".into(),
    }
}

/// Base64 in the standard or the URL alphabet, added to the end of the buffer.
pub(super) fn read_base64(text: &str, out: &mut MessageBuffer) -> Result<()> {
    let standard = if text.contains(['-', '_']) {
        Cow::Owned(text.replace('-', "+").replace('_', "/"))
    } else {
        Cow::Borrowed(text)
    };
    BASE64
        .decode_vec(standard.as_ref(), out.end())
        .map_err(|error| Rejection::value(format!("expected base64: {error}")))
}

/// An id of so many bytes, or none where the text is empty.
pub(super) fn read_id(text: &str, length: usize, out: &mut MessageBuffer) -> Result<()> {
    let digits = text.as_bytes();
    if digits.len() != 2 * length && !digits.is_empty() {
        return Err(wrong_id(text, length));
    }
    for pair in digits.chunks_exact(2) {
        let [high, low] = [pair[0], pair[1]].map(|digit| HEX_DIGITS[usize::from(digit)]);
        if high | low > 0xf {
            return Err(wrong_id(text, length));
        }
        out.end().push(high << 4 | low);
    }
    Ok(())
}

/// The value of a hex digit in any case; 0xff for any other byte.
static HEX_DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

#[cold]
fn wrong_id(text: &str, length: usize) -> Box<Rejection> {
    let start = &text[..text.floor_char_boundary(40)];
    Rejection::value(format!(
        "expected {} hex digits, found {start:?}",
        2 * length
    ))
}
