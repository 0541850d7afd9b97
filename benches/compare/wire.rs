//! Counts fields of an encoded protobuf message; skips all other fields.
//! Wire format: <https://protobuf.dev/programming-guides/encoding/>

#[derive(Debug, thiserror::Error)]
#[error("the message is not valid protobuf")]
pub(crate) struct Malformed;

/// Counts the fields at `path`: field numbers from the outermost to the innermost message.
pub(crate) fn count(mut message: &[u8], path: &[u64]) -> Result<u64, Malformed> {
    let Some((&wanted, inner)) = path.split_first() else {
        return Ok(1);
    };
    let mut found = 0;
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        match tag & 7 {
            0 => drop(varint(&mut message)?),
            1 => drop(take(&mut message, 8)?),
            2 => {
                let length = varint(&mut message)?;
                let field = take(&mut message, length)?;
                if tag >> 3 == wanted {
                    found += count(field, inner)?;
                }
            }
            5 => drop(take(&mut message, 4)?),
            _ => return Err(Malformed),
        }
    }
    Ok(found)
}

fn take<'a>(message: &mut &'a [u8], length: u64) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(length).map_err(|_| Malformed)?;
    let (taken, rest) = message.split_at_checked(length).ok_or(Malformed)?;
    *message = rest;
    Ok(taken)
}

fn varint(message: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first().ok_or(Malformed)?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed)
}
