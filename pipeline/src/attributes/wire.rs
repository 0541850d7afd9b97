//! The parts of protobuf's wire format that attributes need (<https://protobuf.dev/programming-guides/encoding/>).

/// One field of a message.
pub(super) enum WireField<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32,
}

/// Removes the next field from `rest`, and returns its number and the field. Returns `None` at the end or if the bytes
/// are malformed.
pub(super) fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u32, WireField<'a>)> {
    let key = varint(rest)?;
    let number = u32::try_from(key >> 3).ok()?;
    let field = match key & 7 {
        0 => WireField::Varint(varint(rest)?),
        1 => WireField::Fixed64(take(rest, 8)?.try_into().ok()?),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            WireField::Bytes(take(rest, length)?)
        }
        5 => {
            take(rest, 4)?;
            WireField::Fixed32
        }
        _ => return None,
    };
    Some((number, field))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let (&first, after) = rest.split_first()?;
    if first < 0x80 {
        *rest = after;
        return Some(u64::from(first));
    }
    let mut value = 0u64;
    for (index, &byte) in rest.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *rest = &rest[index + 1..];
            return Some(value);
        }
    }
    None
}

/// Appends a varint.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number of bytes of a varint.
pub(super) fn varint_len(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// Appends a length-delimited field.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
