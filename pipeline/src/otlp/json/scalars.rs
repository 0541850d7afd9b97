//! Transcodes JSON scalars to protobuf's wire format.

use std::borrow::Cow;

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine as _};

use super::buffer::{MessageBuffer, WireNumber};
use super::lexer::Lexer;
use super::numbers::{double, integer, is_number};
use super::rejection::{JsonRejection, Result};
use crate::otlp::descriptors::FieldType;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Transcodes a number, a Boolean or the value of an enum.
#[inline]
pub(super) fn read_scalar(
    lexer: &mut Lexer<'_>,
    scratch: &mut String,
    kind: FieldType,
) -> Result<WireNumber> {
    let token = read_token(lexer, scratch)?;
    let value = match (&token, kind) {
        (ValueToken::Bool(value), FieldType::Bool) => Some(WireNumber::Varint(u64::from(*value))),
        (ValueToken::Number(number), FieldType::Double) => double(number).map(encode_double),
        (ValueToken::Text(text), FieldType::Double) => special_double(text).map(encode_double),
        (ValueToken::Text(name), FieldType::Enum(names)) => {
            let value = names.iter().position(|candidate| candidate == name);
            value.map(|value| WireNumber::Varint(value as u64))
        }
        (ValueToken::Number(number), _) => {
            integer(number).and_then(|value| encode_integer(kind, value))
        }
        _ => None,
    };
    value.ok_or_else(|| JsonRejection::value(format!("expected {}, found {token}", expected(kind))))
}

/// A scalar, or the start of a list or object.
enum ValueToken<'s> {
    Bool(bool),
    /// A number, with or without quotes.
    Number(&'s str),
    /// Other text.
    Text(&'s str),
    List,
    Object,
}

impl std::fmt::Display for ValueToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ValueToken::Bool(value) => write!(f, "{value}"),
            ValueToken::Number(number) => write!(f, "{number:.40}"),
            ValueToken::Text(text) => write!(f, "{:?}", &text[..text.floor_char_boundary(40)]),
            ValueToken::List => f.write_str("a list"),
            ValueToken::Object => f.write_str("an object"),
        }
    }
}

#[inline]
fn read_token<'s, 'a: 's>(
    lexer: &mut Lexer<'a>,
    scratch: &'s mut String,
) -> Result<ValueToken<'s>> {
    match lexer.peek()? {
        b'"' => {
            let text = lexer.text(scratch)?;
            Ok(if is_number(text) {
                ValueToken::Number(text)
            } else {
                ValueToken::Text(text)
            })
        }
        b'-' | b'0'..=b'9' => lexer.number().map(ValueToken::Number),
        b'[' => Ok(ValueToken::List),
        b'{' => Ok(ValueToken::Object),
        _ if lexer.read_word_if("true")? => Ok(ValueToken::Bool(true)),
        _ if lexer.read_word_if("false")? => Ok(ValueToken::Bool(false)),
        _ => Err(lexer.expected("a value")),
    }
}

fn encode_double(value: f64) -> WireNumber {
    WireNumber::Fixed64(value.to_bits())
}

fn special_double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Encodes an integer; `None` if it is out of the range of the type.
#[inline]
fn encode_integer(kind: FieldType, value: i128) -> Option<WireNumber> {
    Some(match kind {
        FieldType::Int32 | FieldType::Enum(_) => {
            let value = i32::try_from(value).ok()?;
            WireNumber::Varint(i64::from(value) as u64)
        }
        FieldType::Sint32 => {
            let value = i32::try_from(value).ok()?;
            WireNumber::Varint(u64::from((value << 1 ^ value >> 31) as u32))
        }
        FieldType::Uint32 => WireNumber::Varint(u64::from(u32::try_from(value).ok()?)),
        FieldType::Fixed32 => WireNumber::Fixed32(u32::try_from(value).ok()?),
        FieldType::Int64 => WireNumber::Varint(i64::try_from(value).ok()? as u64),
        FieldType::Sfixed64 => WireNumber::Fixed64(i64::try_from(value).ok()? as u64),
        FieldType::Uint64 => WireNumber::Varint(u64::try_from(value).ok()?),
        FieldType::Fixed64 => WireNumber::Fixed64(u64::try_from(value).ok()?),
        FieldType::Text
        | FieldType::Bool
        | FieldType::Double
        | FieldType::Bytes
        | FieldType::Id(_)
        | FieldType::Message(_) => {
            return None;
        }
    })
}

/// Describes the valid values of a type, for errors.
#[cold]
fn expected(kind: FieldType) -> String {
    match kind {
        FieldType::Bool => "true or false".into(),
        FieldType::Double => "a 64-bit number, \"NaN\", \"Infinity\" or \"-Infinity\"".into(),
        FieldType::Enum(names) => format!("a 32-bit integer or a name such as {}", names[0]),
        FieldType::Int32 | FieldType::Sint32 => "a 32-bit integer".into(),
        FieldType::Uint32 | FieldType::Fixed32 => "an unsigned 32-bit integer".into(),
        FieldType::Int64 | FieldType::Sfixed64 => "a 64-bit integer".into(),
        FieldType::Uint64 | FieldType::Fixed64 => "an unsigned 64-bit integer".into(),
        FieldType::Text | FieldType::Bytes | FieldType::Id(_) => "text".into(),
        FieldType::Message(_) => "an object".into(),
    }
}

/// Decodes base64 in the standard or the URL alphabet, and appends the bytes.
pub(super) fn read_base64(text: &str, out: &mut MessageBuffer) -> Result<()> {
    let standard = if text.contains(['-', '_']) {
        Cow::Owned(text.replace('-', "+").replace('_', "/"))
    } else {
        Cow::Borrowed(text)
    };
    BASE64
        .decode_vec(standard.as_ref(), out.raw())
        .map_err(|error| JsonRejection::value(format!("expected base64: {error}")))
}

/// Decodes a hex id of `length` bytes and appends the bytes. Empty text is valid and appends none.
pub(super) fn read_id(text: &str, length: usize, out: &mut MessageBuffer) -> Result<()> {
    let digits = text.as_bytes();
    if digits.len() != 2 * length && !digits.is_empty() {
        return Err(invalid_id(text, length));
    }
    for pair in digits.chunks_exact(2) {
        let [high, low] = [pair[0], pair[1]].map(|digit| HEX_DIGITS[usize::from(digit)]);
        if high | low > 0xf {
            return Err(invalid_id(text, length));
        }
        out.raw().push(high << 4 | low);
    }
    Ok(())
}

/// The value of a hex digit in upper or lower case; 0xff for any other byte.
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
fn invalid_id(text: &str, length: usize) -> Box<JsonRejection> {
    let start = &text[..text.floor_char_boundary(40)];
    JsonRejection::value(format!(
        "expected {} hex digits, found {start:?}",
        2 * length
    ))
}
