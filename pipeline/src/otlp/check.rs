//! Checks attributes in place: they must be well-formed, valid UTF-8 and not nested too deeply.
//!
//! In canonical bytes, each singular field occurs at most once, so that readers need not merge fields. Protobuf also
//! allows bytes that are not canonical, although no SDK sends them. [`canonical_key_value`] and
//! [`canonical_any_value`] rewrite such bytes.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;

use super::descriptors::{FieldType, MessageDescriptor};
use super::wire::keys::{
    BYTES_1, BYTES_2, BYTES_5, BYTES_6, BYTES_7, FIXED64_4, VARINT_2, VARINT_3, VARINT_8,
};
use super::wire::{DecodeError, MAX_DEPTH, Result, WireReader, number_bits};

const KEY_VALUE_FIELDS: u64 = number_bits([1, 2, 3]);
const ANY_VALUE_FIELDS: u64 = number_bits([1, 2, 3, 4, 5, 6, 7, 8]);
const LIST_FIELDS: u64 = number_bits([1]);

/// Checks a `KeyValue`. Returns whether it is canonical.
#[inline]
pub(super) fn key_value(entry: WireReader<'_>) -> Result<bool> {
    if is_plain(entry.rest()) && entry.depth() < MAX_DEPTH {
        return Ok(true);
    }
    walk_key_value(entry)
}

/// Whether a `KeyValue` has the most frequent form: first the key, then a value that is text, a double, a small integer
/// or a Boolean. Key and value are shorter than 128 bytes, and key and text are ASCII. All other entries need
/// [`walk_key_value`].
#[inline]
fn is_plain(entry: &[u8]) -> bool {
    let [0x0a, key_length @ 0..0x80, rest @ ..] = entry else {
        return false;
    };
    let Some((key, rest)) = rest.split_at_checked(usize::from(*key_length)) else {
        return false;
    };
    let [0x12, value_length @ 0..0x80, value @ ..] = rest else {
        return false;
    };
    if value.len() != usize::from(*value_length) || !key.is_ascii() {
        return false;
    }
    match value {
        [0x0a, length @ 0..0x80, text @ ..] => {
            text.len() == usize::from(*length) && text.is_ascii()
        }
        [0x21, double @ ..] => double.len() == 8,
        [0x10 | 0x18, 0..0x80] | [0x10 | 0x18, 0x80..=0xff, 0..0x80] => true,
        _ => false,
    }
}

/// Checks a `KeyValue` field by field.
fn walk_key_value(mut entry: WireReader<'_>) -> Result<bool> {
    entry.check_depth()?;
    let (mut keys, mut values, mut indexes) = (0u32, 0u32, 0u32);
    let mut canonical = true;
    while let Some(field) = entry.next_key()? {
        match field {
            BYTES_1 => {
                entry.text()?;
                keys += 1;
            }
            BYTES_2 => {
                let value = entry.message()?;
                canonical &= any_value(value)?;
                values += 1;
            }
            VARINT_3 => {
                entry.varint()?;
                indexes += 1;
            }
            other => entry.skip(other, KEY_VALUE_FIELDS)?,
        }
    }
    Ok(canonical && keys <= 1 && values <= 1 && indexes <= 1)
}

/// Checks an `AnyValue`. Returns whether it is canonical.
#[inline]
pub(super) fn any_value(mut value: WireReader<'_>) -> Result<bool> {
    value.check_depth()?;
    let mut fields = 0u32;
    let mut canonical = true;
    while let Some(field) = value.next_key()? {
        fields += 1;
        match field {
            BYTES_1 => {
                value.text()?;
            }
            VARINT_2 | VARINT_3 | VARINT_8 => {
                value.varint()?;
            }
            FIXED64_4 => {
                value.fixed64()?;
            }
            BYTES_7 => {
                value.range()?;
            }
            BYTES_5 => {
                let mut list = value.message()?;
                list.check_depth()?;
                while let Some(field) = list.next_key()? {
                    match field {
                        BYTES_1 => canonical &= any_value(list.message()?)?,
                        other => list.skip(other, LIST_FIELDS)?,
                    }
                }
            }
            BYTES_6 => {
                let mut list = value.message()?;
                list.check_depth()?;
                while let Some(field) = list.next_key()? {
                    match field {
                        BYTES_1 => canonical &= key_value(list.message()?)?,
                        // Readers read a kvlist as a run of entries, so a canonical kvlist has no other field.
                        other => {
                            list.skip(other, LIST_FIELDS)?;
                            canonical = false;
                        }
                    }
                }
            }
            other => {
                value.skip(other, ANY_VALUE_FIELDS)?;
                fields -= 1;
            }
        }
    }
    Ok(canonical && fields <= 1)
}

/// Checks any message with all its fields.
pub(super) fn message(
    mut reader: WireReader<'_>,
    message: &'static MessageDescriptor,
) -> Result<()> {
    reader.check_depth()?;
    while let Some(key) = reader.next_key()? {
        let number = key >> 3;
        let Some(index) = message.index_of_number(number) else {
            reader.skip(key, 0)?;
            continue;
        };
        let field = &message.fields[index];
        if field.is_packed(key) {
            let mut items = reader.message()?;
            while !items.is_empty() {
                items.pass(field.kind.wire_type())?;
            }
        } else if key & 7 != field.kind.wire_type() {
            reader.skip(key, 1 << number)?;
        } else {
            match field.kind {
                FieldType::Text => reader.text().map(drop)?,
                FieldType::Message(inner) => self::message(reader.message()?, inner)?,
                _ => reader.pass(key)?,
            }
        }
    }
    Ok(())
}

/// Rewrites a checked `KeyValue` so that it is canonical, by protobuf's rules for merging fields.
#[cold]
pub(super) fn canonical_key_value(entry: &[u8], offset: usize) -> Result<Vec<u8>> {
    let merged = KeyValue::decode(entry).map_err(|error| {
        Box::new(DecodeError {
            reason: error.to_string(),
            offset: Some(offset),
        })
    })?;
    Ok(merged.encode_to_vec())
}

/// Rewrites a checked `AnyValue` so that it is canonical, by protobuf's rules for merging fields.
#[cold]
pub(super) fn canonical_any_value(value: &[u8], offset: usize) -> Result<Vec<u8>> {
    let merged = AnyValue::decode(value).map_err(|error| {
        Box::new(DecodeError {
            reason: error.to_string(),
            offset: Some(offset),
        })
    })?;
    Ok(merged.encode_to_vec())
}
