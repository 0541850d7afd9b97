//! Runs of length-delimited fields, and their keys.

/// Whether each field of a run has this key and a length of one or two bytes.
#[inline]
pub(super) fn has_keys(run: &[u8], key: u8) -> bool {
    let mut at = 0;
    while let Some(&[found, low]) = run.get(at..at + 2) {
        if found != key {
            return false;
        }
        at += 2 + usize::from(low);
        if low >= 0x80 {
            let Some(&high @ 0..0x80) = run.get(at - usize::from(low)) else {
                return false;
            };
            // `at` has counted the highest bit of `low` as 128.
            at = at + 1 + usize::from(high) * 0x80 - 0x80;
        }
    }
    at == run.len()
}

/// Sets the key of each field of a run. Returns false if a field has a key of several bytes, or the run is malformed.
#[inline]
pub(super) fn set_keys(mut run: &mut [u8], key: u8) -> bool {
    loop {
        let (length, header) = match run {
            [] => return true,
            [0..0x80, length @ 0..0x80, ..] => (usize::from(*length), 2),
            [0..0x80, low, high @ 0..0x80, ..] => {
                (usize::from(*low & 0x7f) | usize::from(*high) << 7, 3)
            }
            [0..0x80, rest @ ..] => {
                let mut after_length = &*rest;
                let Ok(length) = prost::encoding::decode_varint(&mut after_length) else {
                    return false;
                };
                (length as usize, 1 + rest.len() - after_length.len())
            }
            _ => return false,
        };
        run[0] = key;
        let Some((_, after)) = run.split_at_mut_checked(header.saturating_add(length)) else {
            return false;
        };
        run = after;
    }
}

/// Removes the next field from `run` and returns its content; `None` at the end or if the field is malformed.
pub(super) fn next_entry<'a>(run: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = *run;
    prost::encoding::decode_key(&mut rest).ok()?;
    let length = prost::encoding::decode_varint(&mut rest).ok()?;
    let (entry, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *run = after;
    Some(entry)
}
