//! Tables of OTLP's messages, for code that treats all messages in the same way.
//!
//! The tables match the `.proto` files of the version of `opentelemetry-proto` in `Cargo.lock`. The fields of a message
//! are in the order of the JSON output: the declared order, except that the members of a oneof come last.

use super::wire::{BYTES, FIXED32, FIXED64, VARINT};

mod common;
mod logs;
mod metrics;
mod traces;

pub(super) use common::ANY_VALUE;
pub(super) use logs::LOGS_REQUEST;
pub(super) use metrics::{EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, METRICS_REQUEST, SUM, SUMMARY};
pub(super) use traces::TRACES_REQUEST;

/// The maximum number of fields of a message, and the maximum field number.
pub(super) const MAX_FIELDS: usize = 16;

/// The fields of a message.
#[derive(Debug)]
pub(super) struct MessageDescriptor {
    pub(super) fields: &'static [FieldDescriptor],
    /// For each field number, the index of the field in `fields` plus one; 0 for unknown numbers.
    indexes: [u8; MAX_FIELDS + 1],
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct FieldDescriptor {
    pub(super) number: u32,
    /// The name in JSON, in camel case.
    pub(super) name: &'static str,
    /// The name in the `.proto` file. JSON input may use either name.
    pub(super) proto_name: &'static str,
    pub(super) kind: FieldType,
    pub(super) presence: FieldPresence,
}

/// The type of a field or of the items of a repeated field.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldType {
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
    /// An enum with the names of the values 0, 1, 2, ….
    Enum(&'static [&'static str]),
    /// Bytes, in JSON as base64.
    Bytes,
    /// An id that is empty or has this number of bytes, in JSON as hexadecimal digits.
    Id(usize),
    Message(&'static MessageDescriptor),
}

/// What the absence of a field means, and when its default is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldPresence {
    /// Absence means the default value. JSON output contains the default, protobuf does not.
    Implicit,
    /// Absence means the default value. Neither JSON output nor protobuf contains the default.
    ImplicitOmitted,
    /// Absence differs from the default value: a message, or an `optional` field.
    Explicit,
    /// A member of the only oneof of its message.
    Oneof,
    Repeated,
}

impl MessageDescriptor {
    const fn new(fields: &'static [FieldDescriptor]) -> MessageDescriptor {
        let mut indexes = [0; MAX_FIELDS + 1];
        let mut index = 0;
        while index < fields.len() {
            indexes[fields[index].number as usize] = index as u8 + 1;
            index += 1;
        }
        MessageDescriptor { fields, indexes }
    }

    /// The index in `fields` of the field with this number.
    #[inline]
    pub(super) fn index_of_number(&self, number: u32) -> Option<usize> {
        let index = *self.indexes.get(number as usize)?;
        usize::from(index).checked_sub(1)
    }

    /// The index in `fields` of the field with this name in JSON or in the `.proto` file.
    pub(super) fn index_of_name(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.name == name || field.proto_name == name)
    }
}

impl FieldType {
    /// The wire type of one value.
    pub(super) const fn wire_type(self) -> u32 {
        match self {
            FieldType::Bool
            | FieldType::Int32
            | FieldType::Sint32
            | FieldType::Uint32
            | FieldType::Int64
            | FieldType::Uint64
            | FieldType::Enum(_) => VARINT,
            FieldType::Double | FieldType::Fixed64 | FieldType::Sfixed64 => FIXED64,
            FieldType::Fixed32 => FIXED32,
            FieldType::Text | FieldType::Bytes | FieldType::Id(_) | FieldType::Message(_) => BYTES,
        }
    }
}

impl FieldDescriptor {
    /// Whether a field with this key contains a packed list of the numbers of this field.
    pub(super) fn is_packed(&self, key: u32) -> bool {
        self.presence == FieldPresence::Repeated
            && key & 7 == BYTES
            && self.kind.wire_type() != BYTES
    }
}

/// Declares a static message with its fields.
macro_rules! message {
    ($visibility:vis $name:ident { $($field:expr),+ $(,)? }) => {
        $visibility static $name: $crate::otlp::descriptors::MessageDescriptor = {
            static FIELDS: &[$crate::otlp::descriptors::FieldDescriptor] = &[$($field),+];
            $crate::otlp::descriptors::MessageDescriptor::new(FIELDS)
        };
    };
}
use message;

/// A singular field.
const fn one(
    number: u32,
    name: &'static str,
    proto_name: &'static str,
    kind: FieldType,
) -> FieldDescriptor {
    let presence = match kind {
        FieldType::Message(_) => FieldPresence::Explicit,
        _ => FieldPresence::Implicit,
    };
    with_presence(number, name, proto_name, kind, presence)
}

/// An `optional` field.
const fn optional(
    number: u32,
    name: &'static str,
    proto_name: &'static str,
    kind: FieldType,
) -> FieldDescriptor {
    with_presence(number, name, proto_name, kind, FieldPresence::Explicit)
}

/// A member of a oneof.
const fn member(
    number: u32,
    name: &'static str,
    proto_name: &'static str,
    kind: FieldType,
) -> FieldDescriptor {
    with_presence(number, name, proto_name, kind, FieldPresence::Oneof)
}

/// A repeated field.
const fn list(
    number: u32,
    name: &'static str,
    proto_name: &'static str,
    kind: FieldType,
) -> FieldDescriptor {
    with_presence(number, name, proto_name, kind, FieldPresence::Repeated)
}

const fn with_presence(
    number: u32,
    name: &'static str,
    proto_name: &'static str,
    kind: FieldType,
    presence: FieldPresence,
) -> FieldDescriptor {
    FieldDescriptor {
        number,
        name,
        proto_name,
        kind,
        presence,
    }
}

#[cfg(test)]
mod tests;
