//! JSON → protobuf → a batch.

use super::buffer::MessageBuffer;
use super::lexer::Lexer;
use super::rejection::{Rejection, Result};
use super::scalars::{read_base64, read_id, read_scalar};
use crate::otlp::DecodeError;
use crate::otlp::descriptors::{
    ANY_VALUE, Field, Kind, LOGS_REQUEST, METRICS_REQUEST, Message, Presence, TRACES_REQUEST,
};
use crate::otlp::wire::{BYTES, MAX_DEPTH};
use crate::{Batch, Delivery, Signal};

/// Decodes a request in JSON.
///
/// # Errors
/// The input is not JSON, or not a request of this signal: the error names the path of the field, and
/// nothing is taken.
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
        other => Err(Rejection::value(format!("OTLP does not carry {other}"))),
    }?;
    let decoded = crate::otlp::decode(signal, request.into(), source, delivery);
    // An offset into the protobuf that was made of the JSON means nothing to the sender.
    decoded.map_err(|error| DecodeError {
        offset: None,
        ..error
    })
}

/// Transcodes a message to protobuf: canonical, but its fields keep the order of the JSON.
pub(super) fn to_protobuf(json: &[u8], message: &'static Message) -> Result<Vec<u8>> {
    let text = simdutf8::compat::from_utf8(json)
        .map_err(|error| Rejection::syntax("text that is not UTF-8", error.valid_up_to()))?;
    let mut transcoder = Transcoder {
        lexer: Lexer::new(text),
        scratch: String::new(),
        out: MessageBuffer::with_room(json.len() / 2),
    };
    transcoder.message(message, 0)?;
    transcoder.lexer.finish()?;
    Ok(transcoder.out.finish())
}

struct Transcoder<'a> {
    lexer: Lexer<'a>,
    /// Holds a text that has escapes.
    scratch: String,
    out: MessageBuffer,
}

/// The fields that an object had so far.
struct Seen {
    /// A bit for each place in the message's fields.
    fields: u32,
    /// The member of the oneof.
    member: Option<&'static str>,
}

impl Transcoder<'_> {
    /// An object with fields of the message, each at most once.
    fn message(&mut self, message: &'static Message, depth: u32) -> Result<()> {
        if depth > MAX_DEPTH {
            let what = format!("messages nested deeper than {MAX_DEPTH}");
            return Err(Rejection::value(what));
        }
        self.lexer.open(b'{')?;
        let mut seen = Seen {
            fields: 0,
            member: None,
        };
        let (mut first, mut guess) = (true, 0);
        while self.lexer.has_next(b'}', first)? {
            first = false;
            let Some(place) = self.place(message, guess)? else {
                self.lexer.skip_value(&mut self.scratch)?;
                continue;
            };
            guess = place + 1;
            let field = &message.fields[place];
            self.field(field, 1 << place, &mut seen, depth)
                .map_err(|rejection| rejection.in_field(field.name))?;
        }
        Ok(())
    }

    /// Where the next key's field stands in the message; fields mostly come in the message's order.
    #[inline]
    fn place(&mut self, message: &'static Message, guess: usize) -> Result<Option<usize>> {
        if let Some(field) = message.fields.get(guess)
            && self.lexer.is_key(field.name)
        {
            return Ok(Some(guess));
        }
        let key = self.lexer.key(&mut self.scratch)?;
        Ok(message.place_of_name(key))
    }

    fn field(
        &mut self,
        field: &'static Field,
        bit: u32,
        seen: &mut Seen,
        depth: u32,
    ) -> Result<()> {
        if seen.fields & bit != 0 {
            return Err(Rejection::value("the field is there twice"));
        }
        seen.fields |= bit;
        if self.lexer.word("null")? {
            return Ok(());
        }
        match field.presence {
            Presence::Repeated => return self.list(field, depth),
            Presence::Oneof => {
                if let Some(other) = seen.member.replace(field.name) {
                    let what = format!("{other} is there too, of which the message has only one");
                    return Err(Rejection::value(what));
                }
            }
            Presence::Implicit | Presence::Sparse | Presence::Explicit => {}
        }
        self.value(field, depth)
    }

    fn list(&mut self, field: &'static Field, depth: u32) -> Result<()> {
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
                    .map(|scalar| self.out.packed(scalar))
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

    fn item(&mut self, field: &'static Field, depth: u32) -> Result<()> {
        // Protobuf's mapping rejects null in lists. In OTLP an empty value means null, and some SDKs
        // write null for it.
        if matches!(field.kind, Kind::Message(message) if std::ptr::eq(message, &ANY_VALUE))
            && self.lexer.word("null")?
        {
            self.out.bytes(field.number, &[]);
            return Ok(());
        }
        self.value(field, depth)
    }

    /// Transcodes one value of the field. A default without explicit presence is left out.
    fn value(&mut self, field: &'static Field, depth: u32) -> Result<()> {
        let number = field.number;
        let is_implicit = matches!(field.presence, Presence::Implicit | Presence::Sparse);
        if let Kind::Message(message) = field.kind {
            let start = self.out.open(number);
            self.message(message, depth + 1)?;
            self.out.close(start);
            return Ok(());
        }
        if field.kind.wire_type() != BYTES {
            let scalar = read_scalar(&mut self.lexer, &mut self.scratch, field.kind)?;
            if !(is_implicit && scalar.is_default()) {
                self.out.scalar(number, scalar);
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
            Kind::Bytes => {
                let start = self.out.open(number);
                read_base64(text, &mut self.out)?;
                self.out.close(start);
            }
            Kind::Id(length) => {
                let start = self.out.open(number);
                read_id(text, length, &mut self.out)?;
                self.out.close(start);
            }
            _ => self.out.bytes(number, text.as_bytes()),
        }
        Ok(())
    }
}
