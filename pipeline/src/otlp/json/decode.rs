//! Decodes JSON to a batch, by way of protobuf.

use super::buffer::MessageBuffer;
use super::lexer::Lexer;
use super::rejection::{JsonRejection, Result};
use super::scalars::{read_base64, read_id, read_scalar};
use crate::otlp::DecodeError;
use crate::otlp::descriptors::{
    ANY_VALUE, FieldDescriptor, FieldPresence, FieldType, LOGS_REQUEST, METRICS_REQUEST,
    MessageDescriptor, TRACES_REQUEST,
};
use crate::otlp::wire::{BYTES, MAX_DEPTH};
use crate::{Batch, Delivery, Signal};

/// Decodes a request in JSON.
///
/// # Errors
/// When the input is not JSON, or not a request of this signal. The error names the path of the field. No row of the
/// request is accepted.
pub fn decode(
    signal: Signal,
    json: &[u8],
    source: &str,
    delivery: Delivery,
) -> std::result::Result<Batch, DecodeError> {
    let request = match signal {
        Signal::Traces => to_protobuf(json, &TRACES_REQUEST),
        Signal::Metrics => to_protobuf(json, &METRICS_REQUEST),
        Signal::Logs => to_protobuf(json, &LOGS_REQUEST),
        other => Err(JsonRejection::value(format!("OTLP does not carry {other}"))),
    }?;
    let decoded = crate::otlp::decode(signal, request.into(), source, delivery);
    // An offset in the protobuf has no meaning for the sender of the JSON.
    decoded.map_err(|error| DecodeError {
        offset: None,
        ..error
    })
}

/// Transcodes a message to canonical protobuf, except that the fields keep the order of the JSON.
pub(super) fn to_protobuf(json: &[u8], message: &'static MessageDescriptor) -> Result<Vec<u8>> {
    let text = simdutf8::compat::from_utf8(json)
        .map_err(|error| JsonRejection::syntax("text that is not UTF-8", error.valid_up_to()))?;
    let mut transcoder = Transcoder {
        lexer: Lexer::new(text),
        scratch: String::new(),
        out: MessageBuffer::with_capacity(json.len() / 2),
    };
    transcoder.message(message, 0)?;
    transcoder.lexer.finish()?;
    Ok(transcoder.out.finish())
}

/// Converts JSON to protobuf.
struct Transcoder<'a> {
    lexer: Lexer<'a>,
    /// Buffer for text that contains escapes.
    scratch: String,
    out: MessageBuffer,
}

/// The fields of an object that were read already.
struct SeenFields {
    /// A bit for each index in the fields of the message.
    fields: u32,
    /// The name of the member of the oneof.
    member: Option<&'static str>,
}

impl Transcoder<'_> {
    /// Transcodes an object with the fields of the message. Rejects a field that occurs twice.
    fn message(&mut self, message: &'static MessageDescriptor, depth: u32) -> Result<()> {
        if depth > MAX_DEPTH {
            let reason = format!("messages nested deeper than {MAX_DEPTH}");
            return Err(JsonRejection::value(reason));
        }
        self.lexer.open(b'{')?;
        let mut seen = SeenFields {
            fields: 0,
            member: None,
        };
        let (mut is_first, mut expected) = (true, 0);
        while self.lexer.has_next(b'}', is_first)? {
            is_first = false;
            let Some(index) = self.field_index(message, expected)? else {
                self.lexer.skip_value(&mut self.scratch)?;
                continue;
            };
            expected = index + 1;
            let field = &message.fields[index];
            self.field(field, 1 << index, &mut seen, depth)
                .map_err(|rejection| rejection.in_field(field.name))?;
        }
        Ok(())
    }

    /// Reads the next key and returns the index of its field; `None` if the message has no such field. First compares
    /// the key with the field at index `expected`, since most senders write the fields in the order of the message.
    #[inline]
    fn field_index(
        &mut self,
        message: &'static MessageDescriptor,
        expected: usize,
    ) -> Result<Option<usize>> {
        if let Some(field) = message.fields.get(expected)
            && self.lexer.read_key_if(field.name)
        {
            return Ok(Some(expected));
        }
        let key = self.lexer.key(&mut self.scratch)?;
        Ok(message.index_of_name(key))
    }

    /// Transcodes the value of a field. `bit` is its bit in `seen`.
    fn field(
        &mut self,
        field: &'static FieldDescriptor,
        bit: u32,
        seen: &mut SeenFields,
        depth: u32,
    ) -> Result<()> {
        if seen.fields & bit != 0 {
            return Err(JsonRejection::value("the field occurs twice"));
        }
        seen.fields |= bit;
        if self.lexer.read_word_if("null")? {
            return Ok(());
        }
        match field.presence {
            FieldPresence::Repeated => return self.list(field, depth),
            FieldPresence::Oneof => {
                if let Some(other) = seen.member.replace(field.name) {
                    let reason =
                        format!("{other} is set, too, but the message can have only one of them");
                    return Err(JsonRejection::value(reason));
                }
            }
            FieldPresence::Implicit | FieldPresence::ImplicitOmitted | FieldPresence::Explicit => {}
        }
        self.value(field, depth)
    }

    /// Transcodes a list of values of a repeated field.
    fn list(&mut self, field: &'static FieldDescriptor, depth: u32) -> Result<()> {
        self.lexer.open(b'[')?;
        let is_packed = field.kind.wire_type() != BYTES;
        let before = self.out.len();
        let start = if is_packed {
            self.out.open(field.number)
        } else {
            before
        };
        let mut index = 0;
        while self.lexer.has_next(b']', index == 0)? {
            let item = if is_packed {
                read_scalar(&mut self.lexer, &mut self.scratch, field.kind)
                    .map(|value| self.out.packed(value))
            } else {
                self.item(field, depth)
            };
            item.map_err(|rejection| rejection.in_item(index))?;
            index += 1;
        }
        if is_packed && index == 0 {
            self.out.truncate(before);
        } else if is_packed {
            self.out.close(start);
        }
        Ok(())
    }

    /// Transcodes one item of a list that is not packed.
    fn item(&mut self, field: &'static FieldDescriptor, depth: u32) -> Result<()> {
        // Protobuf's mapping rejects null in lists. But an empty value means null in OTLP, and some SDKs write it as
        // null.
        if matches!(field.kind, FieldType::Message(message) if std::ptr::eq(message, &ANY_VALUE))
            && self.lexer.read_word_if("null")?
        {
            self.out.bytes(field.number, &[]);
            return Ok(());
        }
        self.value(field, depth)
    }

    /// Transcodes one value of the field. Omits a default value without explicit presence.
    fn value(&mut self, field: &'static FieldDescriptor, depth: u32) -> Result<()> {
        let number = field.number;
        let is_implicit = matches!(
            field.presence,
            FieldPresence::Implicit | FieldPresence::ImplicitOmitted
        );
        if let FieldType::Message(message) = field.kind {
            let start = self.out.open(number);
            self.message(message, depth + 1)?;
            self.out.close(start);
            return Ok(());
        }
        if field.kind.wire_type() != BYTES {
            let value = read_scalar(&mut self.lexer, &mut self.scratch, field.kind)?;
            if !(is_implicit && value.is_default()) {
                self.out.number(number, value);
            }
            return Ok(());
        }
        if self.lexer.peek()? != b'"' {
            return Err(self.lexer.expected("text"));
        }
        let text = self.lexer.text(&mut self.scratch)?;
        if is_implicit && text.is_empty() {
            return Ok(());
        }
        match field.kind {
            FieldType::Bytes => {
                let start = self.out.open(number);
                read_base64(text, &mut self.out)?;
                self.out.close(start);
            }
            FieldType::Id(length) => {
                let start = self.out.open(number);
                read_id(text, length, &mut self.out)?;
                self.out.close(start);
            }
            _ => self.out.bytes(number, text.as_bytes()),
        }
        Ok(())
    }
}
