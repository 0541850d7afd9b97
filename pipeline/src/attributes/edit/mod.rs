//! Edits runs of `KeyValue`s as bytes. Entries that do not change are copied with their order, their field numbers and
//! unknown fields.

use std::ops::Range;

use super::read::key_value;
use super::wire::{WireField, next_field, put_varint, varint_len};

/// Sets `key` to an encoded `AnyValue`. The new entry replaces the first entry with this key, and all other entries
/// with this key are removed. If no entry has this key, the new entry is added at the end.
///
/// Appends the changed run to `out` and returns true. If the run already has exactly this entry, appends nothing and
/// returns false, so that the caller can keep its run.
pub fn set(run: &[u8], key: &str, any_value: &[u8], out: &mut Vec<u8>) -> bool {
    let mut copier = RunCopier::new(run);
    let mut found = false;
    for entry in entries(run) {
        if entry.key != key.as_bytes() {
            continue;
        }
        let is_first = !std::mem::replace(&mut found, true);
        if is_first && entry.value == any_value {
            continue;
        }
        copier.skip(entry.range, out);
        if is_first {
            put_entry(entry.number, key.as_bytes(), any_value, out);
        }
    }
    if !found {
        // All entries of a run have the same field number, so that the run can be sent without changes.
        let number = entries(run).next().map_or(1, |entry| entry.number);
        copier.skip(run.len()..run.len(), out);
        put_entry(number, key.as_bytes(), any_value, out);
    }
    copier.finish(out)
}

/// Removes the entries of the keys for which `is_removed` returns true. Appends and returns as [`set`] does.
pub fn without(run: &[u8], mut is_removed: impl FnMut(&[u8]) -> bool, out: &mut Vec<u8>) -> bool {
    let mut copier = RunCopier::new(run);
    for entry in entries(run) {
        if is_removed(entry.key) {
            copier.skip(entry.range, out);
        }
    }
    copier.finish(out)
}

/// An entry of a run.
pub(super) struct RunEntry<'a> {
    /// The bytes of the whole field in the run.
    pub(super) range: Range<usize>,
    /// The field number.
    pub(super) number: u32,
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

/// The entries of a run, in order.
pub(super) fn entries(run: &[u8]) -> impl Iterator<Item = RunEntry<'_>> {
    let mut rest = run;
    std::iter::from_fn(move || {
        loop {
            let start = run.len() - rest.len();
            let (number, field) = next_field(&mut rest)?;
            let WireField::Bytes(entry) = field else {
                continue;
            };
            let (key, value) = key_value(entry);
            return Some(RunEntry {
                range: start..run.len() - rest.len(),
                number,
                key,
                value,
            });
        }
    })
}

/// Appends a `KeyValue` field.
pub(super) fn put_entry(number: u32, key: &[u8], any_value: &[u8], out: &mut Vec<u8>) {
    let field = |length: usize| 1 + varint_len(length) + length;
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, (field(key.len()) + field(any_value.len())) as u64);
    for (number, bytes) in [(1, key), (2, any_value)] {
        super::wire::put_bytes(out, number, bytes);
    }
}

/// Copies a run with changes. If there is no change, it copies nothing.
pub(super) struct RunCopier<'a> {
    run: &'a [u8],
    /// The end of the bytes that were copied or skipped.
    position: usize,
    changed: bool,
}

impl<'a> RunCopier<'a> {
    pub(super) fn new(run: &'a [u8]) -> RunCopier<'a> {
        RunCopier {
            run,
            position: 0,
            changed: false,
        }
    }

    /// Copies the bytes before `skipped` and continues after it.
    pub(super) fn skip(&mut self, skipped: Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.run[self.position..skipped.start]);
        self.position = skipped.end;
        self.changed = true;
    }

    /// Copies the remaining bytes. Returns whether there was a change.
    pub(super) fn finish(self, out: &mut Vec<u8>) -> bool {
        if self.changed {
            out.extend_from_slice(&self.run[self.position..]);
        }
        self.changed
    }
}

#[cfg(test)]
mod tests;
