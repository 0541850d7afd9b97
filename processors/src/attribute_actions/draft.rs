//! Encoded attributes (a run) that actions change one after the other.

use pipeline::attributes::{Map, set, without};

/// Memory for the changed run, reused for each run.
#[derive(Debug, Default)]
pub(super) struct DraftBuffers {
    /// The current run, if an action has changed it.
    current: Vec<u8>,
    /// The run that the next edit writes.
    next: Vec<u8>,
}

/// A run to which actions are applied.
pub(super) struct AttributeDraft<'a> {
    original: &'a [u8],
    changed: bool,
    buffers: &'a mut DraftBuffers,
}

impl DraftBuffers {
    /// Starts a draft of a run.
    pub(super) fn draft<'a>(&'a mut self, run: &'a [u8]) -> AttributeDraft<'a> {
        AttributeDraft {
            original: run,
            changed: false,
            buffers: self,
        }
    }
}

impl AttributeDraft<'_> {
    /// The current run.
    pub(super) fn run(&self) -> &[u8] {
        if self.changed {
            &self.buffers.current
        } else {
            self.original
        }
    }

    /// Sets the value of a key.
    pub(super) fn set(&mut self, key: &str, any_value: &[u8]) {
        self.edit(|run, out| set(run, key, any_value, out));
    }

    /// Removes the keys for which `is_dropped` returns true.
    pub(super) fn drop_keys(&mut self, is_dropped: impl FnMut(&[u8]) -> bool) {
        self.edit(|run, out| without(run, is_dropped, out));
    }

    /// Replaces each value for which `new_value` returns a new value.
    pub(super) fn replace(&mut self, new_value: impl Fn(&[u8], &[u8]) -> Option<Vec<u8>>) {
        let entries = Map::new(self.run()).entries();
        let mut replaced: Vec<(String, Vec<u8>)> = Vec::new();
        for (key, value) in entries {
            let Ok(name) = std::str::from_utf8(key) else {
                continue;
            };
            // If a run has a key twice, the first occurrence counts.
            if replaced.iter().any(|(key, _)| key == name) {
                continue;
            }
            if let Some(new) = new_value(key, value) {
                replaced.push((name.to_owned(), new));
            }
        }
        for (key, value) in replaced {
            self.set(&key, &value);
        }
    }

    fn edit(&mut self, edit: impl FnOnce(&[u8], &mut Vec<u8>) -> bool) {
        let DraftBuffers { current, next } = &mut *self.buffers;
        next.clear();
        let run = if self.changed {
            &current[..]
        } else {
            self.original
        };
        if edit(run, next) {
            std::mem::swap(current, next);
            self.changed = true;
        }
    }

    /// If the run differs from the original, appends it to `out` and returns true. Otherwise returns false.
    pub(super) fn finish(self, out: &mut Vec<u8>) -> bool {
        let changed = self.changed && self.buffers.current != self.original;
        if changed {
            out.extend_from_slice(&self.buffers.current);
        }
        changed
    }
}
