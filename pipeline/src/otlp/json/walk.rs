//! Protobuf → JSON.
//!
//! A message is walked twice: once for where its fields stand, once to write them in the order of
//! its table. So fields may stand in any order, and lists in parts.

use super::writer::JsonWriter;
use crate::otlp::descriptors::{Field, Kind, MAX_FIELDS, Message, Presence};
use crate::otlp::wire::{DecodeError, Reader};

/// Why JSON cannot be written.
#[derive(Debug)]
pub(super) enum Stop {
    Invalid(Box<DecodeError>),
    /// A message outside of lists occurs more than once, and must be merged first.
    Pieces,
}

impl From<Box<DecodeError>> for Stop {
    fn from(error: Box<DecodeError>) -> Stop {
        Stop::Invalid(error)
    }
}

impl From<Stop> for DecodeError {
    fn from(stop: Stop) -> DecodeError {
        match stop {
            Stop::Invalid(error) => *error,
            Stop::Pieces => DecodeError {
                what: "a message in pieces".into(),
                offset: None,
            },
        }
    }
}

type Result<T> = std::result::Result<T, Stop>;

pub(super) fn to_json(
    protobuf: &[u8],
    message: &'static Message,
) -> std::result::Result<String, Stop> {
    // JSON is two to three times as long: the buffer grows once at most.
    let mut out = JsonWriter::with_room(2 * protobuf.len() + 64);
    put_message(Reader::new(protobuf), message, &mut out)?;
    Ok(out.finish())
}

/// Where a field stands in its message.
#[derive(Clone, Copy, Default)]
struct Place {
    times: u32,
    /// Where the key of its first stands.
    first: usize,
    /// Where the key of its last stands.
    last: usize,
    /// Behind its last.
    end: usize,
}

fn put_message(reader: Reader<'_>, message: &'static Message, out: &mut JsonWriter) -> Result<()> {
    reader.check_depth()?;
    let mut places = [Place::default(); MAX_FIELDS];
    let member = find_fields(reader, message, &mut places)?;
    out.open(b'{');
    for (index, field) in message.fields.iter().enumerate() {
        let place = places[index];
        match field.presence {
            Presence::Repeated => {
                out.name(field.name);
                out.open(b'[');
                if place.times > 0 {
                    put_items(reader.part(place.first..place.end), field, out)?;
                }
                out.close(b']');
            }
            Presence::Oneof if member != Some(index) => {}
            Presence::Implicit if place.times == 0 => {
                out.name(field.name);
                out.default(field.kind);
            }
            _ if place.times == 0 => {}
            _ => {
                let mut part = reader.part(place.last..place.end);
                part.next_key()?;
                out.name(field.name);
                put_value(&mut part, field, out)?;
            }
        }
    }
    out.close(b'}');
    Ok(())
}

/// The first walk; returns the member of the oneof, which is the last that is there.
fn find_fields(
    mut reader: Reader<'_>,
    message: &'static Message,
    places: &mut [Place; MAX_FIELDS],
) -> Result<Option<usize>> {
    let mut member = None;
    loop {
        let start = reader.pos();
        let Some(key) = reader.next_key()? else {
            return Ok(member);
        };
        let Some(index) = message.place_of_number(key >> 3) else {
            reader.pass(key)?;
            continue;
        };
        let field = &message.fields[index];
        if key & 7 != field.kind.wire_type() && !field.is_packed(key) {
            reader.skip(key, 1 << field.number)?;
        }
        reader.pass(key)?;
        let place = &mut places[index];
        if place.times == 0 {
            place.first = start;
        }
        place.times += 1;
        place.last = start;
        place.end = reader.pos();
        if field.presence == Presence::Oneof {
            member = Some(index);
        }
        if place.times > 1
            && field.presence != Presence::Repeated
            && matches!(field.kind, Kind::Message(_))
        {
            return Err(Stop::Pieces);
        }
    }
}

/// All of a list, from the key of its first part to the end of its last.
fn put_items(mut reader: Reader<'_>, field: &'static Field, out: &mut JsonWriter) -> Result<()> {
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

fn put_value(reader: &mut Reader<'_>, field: &'static Field, out: &mut JsonWriter) -> Result<()> {
    match field.kind {
        Kind::Message(message) => put_message(reader.message()?, message, out)?,
        Kind::Text => out.text(reader.utf8_text()?),
        Kind::Bytes => {
            let range = reader.range()?;
            out.base64(reader.slice(range));
        }
        Kind::Id(_) => {
            let range = reader.range()?;
            out.hex(reader.slice(range));
        }
        Kind::Bool => out.bool(reader.varint()? != 0),
        Kind::Double => out.double(reader.double()?),
        Kind::Int32 | Kind::Enum(_) => out.number(reader.uint32()? as i32),
        Kind::Sint32 => out.number(reader.sint32()?),
        Kind::Uint32 => out.number(reader.uint32()?),
        Kind::Fixed32 => out.number(reader.fixed32()?),
        Kind::Int64 => out.quoted(reader.varint()? as i64),
        Kind::Uint64 => out.quoted(reader.varint()?),
        Kind::Sfixed64 => out.quoted(reader.fixed64()? as i64),
        Kind::Fixed64 => out.quoted(reader.fixed64()?),
    }
    Ok(())
}
