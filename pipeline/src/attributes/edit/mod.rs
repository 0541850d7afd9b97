//! Changes runs of `KeyValue`s on their bytes: what is not touched is copied as it stands, with its
//! order, its field numbers and what is unknown in it.

use std::ops::Range;

use super::read::key_value;
use super::wire::{Field, next_field, put_varint, varint_len};

/// Sets `key` to an encoded `AnyValue`. Its first entry is replaced where it stands and any
/// further ones dropped; where there is none, one is added at the end.
///
/// Appends the changed run to `out` and returns true. Where the run says all that already, returns
/// false and appends nothing, so that the caller can keep what it has.
pub fn set(run: &[u8], key: &str, any_value: &[u8], out: &mut Vec<u8>) -> bool {
    let mut copied = Copied::new(run);
    let mut found = false;
    for entry in entries(run) {
        if entry.key != key.as_bytes() {
            continue;
        }
        let is_first = !std::mem::replace(&mut found, true);
        if is_first && entry.value == any_value {
            continue;
        }
        copied.until(entry.range, out);
        if is_first {
            put_entry(entry.number, key.as_bytes(), any_value, out);
        }
    }
    if !found {
        // All entries of a run have the same number, so that it can be encoded as it is.
        let number = entries(run).next().map_or(1, |entry| entry.number);
        copied.until(run.len()..run.len(), out);
        put_entry(number, key.as_bytes(), any_value, out);
    }
    copied.finish(out)
}

/// Drops the entries of some keys. Appends and returns as [`set`] does.
pub fn without(run: &[u8], mut dropped: impl FnMut(&[u8]) -> bool, out: &mut Vec<u8>) -> bool {
    let mut copied = Copied::new(run);
    for entry in entries(run) {
        if dropped(entry.key) {
            copied.until(entry.range, out);
        }
    }
    copied.finish(out)
}

pub(super) struct Entry<'a> {
    /// The whole field in the run.
    pub(super) range: Range<usize>,
    pub(super) number: u32,
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

pub(super) fn entries(run: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = run;
    std::iter::from_fn(move || {
        loop {
            let start = run.len() - rest.len();
            let (number, field) = next_field(&mut rest)?;
            let Field::Bytes(entry) = field else {
                continue;
            };
            let (key, value) = key_value(entry);
            return Some(Entry {
                range: start..run.len() - rest.len(),
                number,
                key,
                value,
            });
        }
    })
}

pub(super) fn put_entry(number: u32, key: &[u8], any_value: &[u8], out: &mut Vec<u8>) {
    let field = |length: usize| 1 + varint_len(length) + length;
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, (field(key.len()) + field(any_value.len())) as u64);
    for (number, bytes) in [(1, key), (2, any_value)] {
        super::wire::put_bytes(out, number, bytes);
    }
}

/// How far a run has been copied; nothing is before the first change.
pub(super) struct Copied<'a> {
    run: &'a [u8],
    until: usize,
    changed: bool,
}

impl<'a> Copied<'a> {
    pub(super) fn new(run: &'a [u8]) -> Copied<'a> {
        Copied {
            run,
            until: 0,
            changed: false,
        }
    }

    /// Copies what stands before `skipped`, and goes on behind it.
    pub(super) fn until(&mut self, skipped: Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.run[self.until..skipped.start]);
        self.until = skipped.end;
        self.changed = true;
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) -> bool {
        if self.changed {
            out.extend_from_slice(&self.run[self.until..]);
        }
        self.changed
    }
}

#[cfg(test)]
mod tests;
