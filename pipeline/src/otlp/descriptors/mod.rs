//! OTLP's messages as tables, for code that walks any of them.
//!
//! They repeat the `.proto` files of the release in `Cargo.lock`. The fields of a message stand in
//! the order in which they are written to JSON: as declared, the members of a oneof last.

use super::wire::{BYTES, FIXED32, FIXED64, VARINT};

mod common;
mod logs;
mod metrics;
mod traces;

pub(super) use common::ANY_VALUE;
pub(super) use logs::LOGS_REQUEST;
pub(super) use metrics::{EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, METRICS_REQUEST, SUM, SUMMARY};
pub(super) use traces::TRACES_REQUEST;

/// No message has more fields, and no field a higher number.
pub(super) const MAX_FIELDS: usize = 16;

#[derive(Debug)]
pub(super) struct Message {
    pub(super) fields: &'static [Field],
    /// The place of a field of this number in `fields`, plus one.
    places: [u8; MAX_FIELDS + 1],
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    /// In JSON.
    pub(super) name: &'static str,
    /// In the `.proto` file; JSON may have it too.
    pub(super) original: &'static str,
    pub(super) kind: Kind,
    pub(super) presence: Presence,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Bool,
    Double,
    Int32,
    Sint32,
    Uint32,
    Fixed32,
    Int64,
    Uint64,
    Fixed64,
    Sfixed64,
    /// The names of the values 0, 1, 2, ….
    Enum(&'static [&'static str]),
    /// Base64 in JSON.
    Bytes,
    /// Hexadecimal in JSON; empty, or of this many bytes.
    Id(usize),
    Message(&'static Message),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Absent is the same as the default; JSON has the default, protobuf does not.
    Implicit,
    /// Likewise, but JSON does not have the default either.
    Sparse,
    /// A message, or an `optional` field.
    Explicit,
    /// A member of the only oneof of its message.
    Oneof,
    Repeated,
}

impl Message {
    const fn new(fields: &'static [Field]) -> Message {
        let mut places = [0; MAX_FIELDS + 1];
        let mut index = 0;
        while index < fields.len() {
            places[fields[index].number as usize] = index as u8 + 1;
            index += 1;
        }
        Message { fields, places }
    }

    /// Where the field of this number stands in `fields`.
    #[inline]
    pub(super) fn place_of_number(&self, number: u32) -> Option<usize> {
        let place = *self.places.get(number as usize)?;
        usize::from(place).checked_sub(1)
    }

    /// Where the field of this name stands in `fields`.
    pub(super) fn place_of_name(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.name == name || field.original == name)
    }
}

impl Kind {
    pub(super) const fn wire_type(self) -> u32 {
        match self {
            Kind::Bool
            | Kind::Int32
            | Kind::Sint32
            | Kind::Uint32
            | Kind::Int64
            | Kind::Uint64
            | Kind::Enum(_) => VARINT,
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => FIXED64,
            Kind::Fixed32 => FIXED32,
            Kind::Text | Kind::Bytes | Kind::Id(_) | Kind::Message(_) => BYTES,
        }
    }
}

impl Field {
    /// Whether a field with this key is a packed list of this field's numbers.
    pub(super) fn is_packed(&self, key: u32) -> bool {
        self.presence == Presence::Repeated && key & 7 == BYTES && self.kind.wire_type() != BYTES
    }
}

/// A table of fields as a static message.
macro_rules! message {
    ($visibility:vis $name:ident { $($field:expr),+ $(,)? }) => {
        $visibility static $name: $crate::otlp::descriptors::Message = {
            static FIELDS: &[$crate::otlp::descriptors::Field] = &[$($field),+];
            $crate::otlp::descriptors::Message::new(FIELDS)
        };
    };
}
use message;

const fn one(number: u32, name: &'static str, original: &'static str, kind: Kind) -> Field {
    let presence = match kind {
        Kind::Message(_) => Presence::Explicit,
        _ => Presence::Implicit,
    };
    with_presence(number, name, original, kind, presence)
}

const fn optional(number: u32, name: &'static str, original: &'static str, kind: Kind) -> Field {
    with_presence(number, name, original, kind, Presence::Explicit)
}

const fn member(number: u32, name: &'static str, original: &'static str, kind: Kind) -> Field {
    with_presence(number, name, original, kind, Presence::Oneof)
}

const fn list(number: u32, name: &'static str, original: &'static str, kind: Kind) -> Field {
    with_presence(number, name, original, kind, Presence::Repeated)
}

const fn with_presence(
    number: u32,
    name: &'static str,
    original: &'static str,
    kind: Kind,
    presence: Presence,
) -> Field {
    Field {
        number,
        name,
        original,
        kind,
        presence,
    }
}

#[cfg(test)]
mod tests;
