//! Writes protobuf fields. What has its default value is left out, as proto3 has it; `always_*`
//! are for members of a oneof and for `optional` fields.

pub(super) fn varint(out: &mut Vec<u8>, value: u64) {
    prost::encoding::encode_varint(value, out);
}

fn key(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    varint(out, u64::from(number << 3 | wire_type));
}

/// A message, also an empty one.
pub(super) fn bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    key(out, number, 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Text or bytes.
pub(super) fn text(out: &mut Vec<u8>, number: u32, text: &[u8]) {
    if !text.is_empty() {
        bytes(out, number, text);
    }
}

pub(super) fn uint(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        key(out, number, 0);
        varint(out, value);
    }
}

/// int32 and enums: negative ones take ten bytes.
pub(super) fn int32(out: &mut Vec<u8>, number: u32, value: i32) {
    uint(out, number, i64::from(value) as u64);
}

pub(super) fn sint32(out: &mut Vec<u8>, number: u32, value: i32) {
    uint(out, number, u64::from((value << 1 ^ value >> 31) as u32));
}

pub(super) fn fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        always_fixed64(out, number, value);
    }
}

pub(super) fn always_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    key(out, number, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn fixed32(out: &mut Vec<u8>, number: u32, value: u32) {
    if value != 0 {
        key(out, number, 5);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

pub(super) fn double(out: &mut Vec<u8>, number: u32, value: f64) {
    // By its bits: -0.0 is not the default.
    fixed64(out, number, value.to_bits());
}

/// A packed list of fixed64 or double, by its bits.
pub(super) fn packed_fixed64(
    out: &mut Vec<u8>,
    number: u32,
    values: impl ExactSizeIterator<Item = u64>,
) {
    if values.len() == 0 {
        return;
    }
    key(out, number, 2);
    varint(out, values.len() as u64 * 8);
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// A packed list of varints.
pub(super) fn packed_varints(out: &mut Vec<u8>, number: u32, values: &[u64]) {
    if values.is_empty() {
        return;
    }
    key(out, number, 2);
    let length: usize = values
        .iter()
        .map(|&value| prost::encoding::encoded_len_varint(value))
        .sum();
    varint(out, length as u64);
    for &value in values {
        varint(out, value);
    }
}

/// A run of length-delimited fields (attributes), each to stand in this field. Where the run has
/// that number already it is copied as it is.
pub(super) fn run(out: &mut Vec<u8>, number: u32, run: &[u8]) {
    let mut rest = run;
    while let Ok((found, wire_type)) = prost::encoding::decode_key(&mut rest) {
        if found == number && uniform(run, number) {
            out.extend_from_slice(run);
            return;
        }
        let Ok(length) = prost::encoding::decode_varint(&mut rest) else {
            return;
        };
        debug_assert_eq!(wire_type, prost::encoding::WireType::LengthDelimited);
        let Some((entry, after)) = rest.split_at_checked(length as usize) else {
            return;
        };
        bytes(out, number, entry);
        rest = after;
    }
}

/// Whether all fields of a run have this number.
fn uniform(mut rest: &[u8], number: u32) -> bool {
    while let Ok((found, _)) = prost::encoding::decode_key(&mut rest) {
        let length = prost::encoding::decode_varint(&mut rest).unwrap_or(u64::MAX);
        match rest.split_at_checked(length as usize) {
            Some((_, after)) if found == number => rest = after,
            _ => return false,
        }
    }
    true
}
