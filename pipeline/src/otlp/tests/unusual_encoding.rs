//! Re-encodes a request as protobuf allows it but no SDK sends it: with fields in any order, split messages, unpacked
//! numbers and unknown fields.

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// The fields of a message that are messages, and those that are packed numbers, with the size of one number in bytes
/// (0 for varints).
pub(in crate::otlp) struct MessageShape {
    messages: &'static [(u32, &'static MessageShape)],
    packed: &'static [(u32, usize)],
}

static ANY_VALUE: MessageShape = MessageShape {
    messages: &[(5, &ARRAY), (6, &KEY_VALUES)],
    packed: &[],
};
static ARRAY: MessageShape = MessageShape {
    messages: &[(1, &ANY_VALUE)],
    packed: &[],
};
static KEY_VALUES: MessageShape = MessageShape {
    messages: &[(1, &KEY_VALUE)],
    packed: &[],
};
static KEY_VALUE: MessageShape = MessageShape {
    messages: &[(2, &ANY_VALUE)],
    packed: &[],
};
static LEAF: MessageShape = MessageShape {
    messages: &[],
    packed: &[],
};
static RESOURCE: MessageShape = MessageShape {
    messages: &[(1, &KEY_VALUE), (3, &LEAF)],
    packed: &[],
};
static SCOPE: MessageShape = MessageShape {
    messages: &[(3, &KEY_VALUE)],
    packed: &[],
};
static EVENT: MessageShape = MessageShape {
    messages: &[(3, &KEY_VALUE)],
    packed: &[],
};
static LINK: MessageShape = MessageShape {
    messages: &[(4, &KEY_VALUE)],
    packed: &[],
};
static SPAN: MessageShape = MessageShape {
    messages: &[(9, &KEY_VALUE), (11, &EVENT), (13, &LINK), (15, &LEAF)],
    packed: &[],
};
static SCOPE_SPANS: MessageShape = MessageShape {
    messages: &[(1, &SCOPE), (2, &SPAN)],
    packed: &[],
};
static RESOURCE_SPANS: MessageShape = MessageShape {
    messages: &[(1, &RESOURCE), (2, &SCOPE_SPANS)],
    packed: &[],
};
pub(in crate::otlp) static TRACES: &MessageShape = &MessageShape {
    messages: &[(1, &RESOURCE_SPANS)],
    packed: &[],
};

static EXEMPLAR: MessageShape = MessageShape {
    messages: &[(7, &KEY_VALUE)],
    packed: &[],
};
static NUMBER: MessageShape = MessageShape {
    messages: &[(7, &KEY_VALUE), (5, &EXEMPLAR)],
    packed: &[],
};
static HISTOGRAM: MessageShape = MessageShape {
    messages: &[(9, &KEY_VALUE), (8, &EXEMPLAR)],
    packed: &[(6, 8), (7, 8)],
};
static BUCKETS: MessageShape = MessageShape {
    messages: &[],
    packed: &[(2, 0)],
};
static EXPONENTIAL: MessageShape = MessageShape {
    messages: &[
        (1, &KEY_VALUE),
        (8, &BUCKETS),
        (9, &BUCKETS),
        (11, &EXEMPLAR),
    ],
    packed: &[],
};
static SUMMARY: MessageShape = MessageShape {
    messages: &[(7, &KEY_VALUE), (6, &LEAF)],
    packed: &[],
};
static NUMBERS: MessageShape = MessageShape {
    messages: &[(1, &NUMBER)],
    packed: &[],
};
static HISTOGRAMS: MessageShape = MessageShape {
    messages: &[(1, &HISTOGRAM)],
    packed: &[],
};
static EXPONENTIALS: MessageShape = MessageShape {
    messages: &[(1, &EXPONENTIAL)],
    packed: &[],
};
static SUMMARIES: MessageShape = MessageShape {
    messages: &[(1, &SUMMARY)],
    packed: &[],
};
static METRIC: MessageShape = MessageShape {
    messages: &[
        (5, &NUMBERS),
        (7, &NUMBERS),
        (9, &HISTOGRAMS),
        (10, &EXPONENTIALS),
        (11, &SUMMARIES),
        (12, &KEY_VALUE),
    ],
    packed: &[],
};
static SCOPE_METRICS: MessageShape = MessageShape {
    messages: &[(1, &SCOPE), (2, &METRIC)],
    packed: &[],
};
static RESOURCE_METRICS: MessageShape = MessageShape {
    messages: &[(1, &RESOURCE), (2, &SCOPE_METRICS)],
    packed: &[],
};
pub(in crate::otlp) static METRICS: &MessageShape = &MessageShape {
    messages: &[(1, &RESOURCE_METRICS)],
    packed: &[],
};

/// Re-encodes a message. The same seed makes the same bytes.
pub(in crate::otlp) fn shuffle(message: &[u8], seed: u64, shape: &MessageShape) -> Vec<u8> {
    rewrite(message, shape, &mut StdRng::seed_from_u64(seed)).concat()
}

/// The fields of a message, re-encoded and in random order.
fn rewrite(mut rest: &[u8], shape: &MessageShape, random: &mut StdRng) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    while rest.has_remaining() {
        let whole = rest;
        let (number, wire_type) = decode_key(&mut rest).unwrap();
        match wire_type {
            WireType::Varint => drop(decode_varint(&mut rest).unwrap()),
            WireType::SixtyFourBit => rest.advance(8),
            WireType::ThirtyTwoBit => rest.advance(4),
            _ => {
                let length = decode_varint(&mut rest).unwrap() as usize;
                let (inner, after) = rest.split_at(length);
                rest = after;
                let message = shape.messages.iter().find(|(field, _)| *field == number);
                let packed = shape.packed.iter().find(|(field, _)| *field == number);
                if let Some((_, shape)) = message {
                    fields.extend(split_message(number, inner, shape, random));
                    continue;
                }
                if let Some((_, size)) = packed.filter(|_| random.random_bool(0.5)) {
                    fields.extend(unpacked(number, inner, *size));
                    continue;
                }
            }
        }
        fields.push(whole[..whole.len() - rest.len()].to_vec());
    }
    if random.random_bool(0.2) {
        fields.push(field(2000, WireType::Varint, &[0x96, 0x01]));
    }
    fields.shuffle(random);
    fields
}

/// A field with a message, sometimes split into two fields with the same number.
fn split_message(
    number: u32,
    message: &[u8],
    shape: &MessageShape,
    random: &mut StdRng,
) -> Vec<Vec<u8>> {
    let mut fields = rewrite(message, shape, random);
    let at = if random.random_bool(0.2) {
        random.random_range(0..=fields.len())
    } else {
        0
    };
    let second = fields.split_off(at);
    let halves = if at == 0 {
        vec![second]
    } else {
        vec![fields, second]
    };
    halves
        .into_iter()
        .map(|half| delimited(number, &half.concat()))
        .collect()
}

fn unpacked(number: u32, mut items: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    while items.has_remaining() {
        let before = items;
        let wire_type = if size == 0 {
            WireType::Varint
        } else {
            WireType::SixtyFourBit
        };
        match size {
            0 => drop(decode_varint(&mut items).unwrap()),
            size => items.advance(size),
        }
        fields.push(field(
            number,
            wire_type,
            &before[..before.len() - items.len()],
        ));
    }
    fields
}

fn delimited(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    field(number, WireType::LengthDelimited, &out)
}

fn field(number: u32, wire_type: WireType, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, wire_type, &mut out);
    out.extend_from_slice(content);
    out
}
