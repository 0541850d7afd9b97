//! Runs of length-delimited fields, and their keys.

/// Whether each field of a run has this key, as where it came from such a field, and a length of
/// one byte or two.
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
            // The low byte has counted its highest bit as 128.
            at = at + 1 + usize::from(high) * 0x80 - 0x80;
        }
    }
    at == run.len()
}

/// Gives each field of a run this key; false where one has a key that takes more than a byte, or
/// the run is broken.
#[inline]
pub(super) fn give_keys(mut run: &mut [u8], key: u8) -> bool {
    loop {
        let (length, header) = match run {
            [] => return true,
            [0..0x80, length @ 0..0x80, ..] => (usize::from(*length), 2),
            [0..0x80, low, high @ 0..0x80, ..] => {
                (usize::from(*low & 0x7f) | usize::from(*high) << 7, 3)
            }
            [0..0x80, rest @ ..] => {
                let mut behind = &*rest;
                let Ok(length) = prost::encoding::decode_varint(&mut behind) else {
                    return false;
                };
                (length as usize, 1 + rest.len() - behind.len())
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

pub(super) fn next_entry<'a>(run: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = *run;
    prost::encoding::decode_key(&mut rest).ok()?;
    let length = prost::encoding::decode_varint(&mut rest).ok()?;
    let (entry, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *run = after;
    Some(entry)
}
