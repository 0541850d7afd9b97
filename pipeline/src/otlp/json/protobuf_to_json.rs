//! Converts protobuf to JSON.
//!
//! Each message is read twice: first to find its fields, then to write them in the order of the table. So fields may
//! occur in any order, and the items of a list need not be adjacent.

use super::writer::JsonWriter;
use crate::otlp::descriptors::{
    FieldDescriptor, FieldPresence, FieldType, MAX_FIELDS, MessageDescriptor,
};
use crate::otlp::wire::{DecodeError, WireReader};

/// The protobuf cannot be converted to JSON.
#[derive(Debug)]
pub(super) enum ToJsonError {
    Invalid(Box<DecodeError>),
    /// A singular message occurs more than once. Its occurrences must be merged first.
    SplitMessage,
}

impl From<Box<DecodeError>> for ToJsonError {
    fn from(error: Box<DecodeError>) -> ToJsonError {
        ToJsonError::Invalid(error)
    }
}

impl From<ToJsonError> for DecodeError {
    fn from(error: ToJsonError) -> DecodeError {
        match error {
            ToJsonError::Invalid(error) => *error,
            ToJsonError::SplitMessage => DecodeError {
                reason: "a singular message occurs more than once".into(),
                offset: None,
            },
        }
    }
}

type Result<T> = std::result::Result<T, ToJsonError>;

/// Converts a message to JSON.
pub(super) fn to_json(
    protobuf: &[u8],
    message: &'static MessageDescriptor,
) -> std::result::Result<String, ToJsonError> {
    // JSON is two to three times as long, so the buffer grows at most once.
    let mut out = JsonWriter::with_capacity(2 * protobuf.len() + 64);
    put_message(WireReader::new(protobuf), message, &mut out)?;
    Ok(out.finish())
}

/// The occurrences of a field in its message.
#[derive(Clone, Copy, Default)]
struct FieldOccurrences {
    count: u32,
    /// The position of the key of the first occurrence.
    first: usize,
    /// The position of the key of the last occurrence.
    last: usize,
    /// The end of the last occurrence.
    end: usize,
}

/// Writes a message as an object.
fn put_message(
    reader: WireReader<'_>,
    message: &'static MessageDescriptor,
    out: &mut JsonWriter,
) -> Result<()> {
    reader.check_depth()?;
    let mut fields = [FieldOccurrences::default(); MAX_FIELDS];
    let member = find_fields(reader, message, &mut fields)?;
    out.open(b'{');
    for (index, field) in message.fields.iter().enumerate() {
        let occurrences = fields[index];
        match field.presence {
            FieldPresence::Repeated => {
                out.name(field.name);
                out.open(b'[');
                if occurrences.count > 0 {
                    put_items(reader.part(occurrences.first..occurrences.end), field, out)?;
                }
                out.close(b']');
            }
            FieldPresence::Oneof if member != Some(index) => {}
            FieldPresence::Implicit if occurrences.count == 0 => {
                out.name(field.name);
                out.default(field.kind);
            }
            _ if occurrences.count == 0 => {}
            _ => {
                let mut last = reader.part(occurrences.last..occurrences.end);
                last.next_key()?;
                out.name(field.name);
                put_value(&mut last, field, out)?;
            }
        }
    }
    out.close(b'}');
    Ok(())
}

/// Finds the occurrences of all fields. Returns the index of the member of the oneof: the last one that occurs.
fn find_fields(
    mut reader: WireReader<'_>,
    message: &'static MessageDescriptor,
    fields: &mut [FieldOccurrences; MAX_FIELDS],
) -> Result<Option<usize>> {
    let mut member = None;
    loop {
        let start = reader.pos();
        let Some(key) = reader.next_key()? else {
            return Ok(member);
        };
        let Some(index) = message.index_of_number(key >> 3) else {
            reader.pass(key)?;
            continue;
        };
        let field = &message.fields[index];
        if key & 7 != field.kind.wire_type() && !field.is_packed(key) {
            reader.skip(key, 1 << field.number)?;
        }
        reader.pass(key)?;
        let occurrences = &mut fields[index];
        if occurrences.count == 0 {
            occurrences.first = start;
        }
        occurrences.count += 1;
        occurrences.last = start;
        occurrences.end = reader.pos();
        if field.presence == FieldPresence::Oneof {
            member = Some(index);
        }
        if occurrences.count > 1
            && field.presence != FieldPresence::Repeated
            && matches!(field.kind, FieldType::Message(_))
        {
            return Err(ToJsonError::SplitMessage);
        }
    }
}

/// Writes the items of a list. The reader is at the first occurrence and ends after the last.
fn put_items(
    mut reader: WireReader<'_>,
    field: &'static FieldDescriptor,
    out: &mut JsonWriter,
) -> Result<()> {
    while let Some(key) = reader.next_key()? {
        if key >> 3 != field.number {
            reader.pass(key)?;
        } else if field.is_packed(key) {
            let mut items = reader.message()?;
            while !items.is_empty() {
                out.comma();
                put_value(&mut items, field, out)?;
            }
        } else {
            out.comma();
            put_value(&mut reader, field, out)?;
        }
    }
    Ok(())
}

/// Writes one value.
fn put_value(
    reader: &mut WireReader<'_>,
    field: &'static FieldDescriptor,
    out: &mut JsonWriter,
) -> Result<()> {
    match field.kind {
        FieldType::Message(message) => put_message(reader.message()?, message, out)?,
        FieldType::Text => out.text(reader.utf8_text()?),
        FieldType::Bytes => {
            let range = reader.range()?;
            out.base64(reader.slice(range));
        }
        FieldType::Id(_) => {
            let range = reader.range()?;
            out.hex(reader.slice(range));
        }
        FieldType::Bool => out.bool(reader.varint()? != 0),
        FieldType::Double => out.double(reader.double()?),
        FieldType::Int32 | FieldType::Enum(_) => out.number(reader.uint32()? as i32),
        FieldType::Sint32 => out.number(reader.sint32()?),
        FieldType::Uint32 => out.number(reader.uint32()?),
        FieldType::Fixed32 => out.number(reader.fixed32()?),
        FieldType::Int64 => out.quoted(reader.varint()? as i64),
        FieldType::Uint64 => out.quoted(reader.varint()?),
        FieldType::Sfixed64 => out.quoted(reader.fixed64()? as i64),
        FieldType::Fixed64 => out.quoted(reader.fixed64()?),
    }
    Ok(())
}
