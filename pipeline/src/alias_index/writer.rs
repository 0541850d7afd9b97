//! What is told.

use std::sync::RwLockWriteGuard;
use std::sync::atomic::{AtomicU64, Ordering};

use super::held::{Held, Seen};
use super::history::Part;
use super::name::{Kind, Name};
use crate::component::UnixNanos;

/// Tells the index; others see all of it when this is dropped.
#[derive(Debug)]
pub struct Writer<'a> {
    held: RwLockWriteGuard<'a, Held>,
    version: &'a AtomicU64,
    changed: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn of(held: RwLockWriteGuard<'a, Held>, version: &'a AtomicU64) -> Writer<'a> {
        Writer {
            held,
            version,
            changed: false,
        }
    }

    /// All aliases (kind, value, scope) that a source tells of a uid at a time.
    pub fn tell<'n>(
        &mut self,
        uid: &str,
        source: &str,
        time: UnixNanos,
        aliases: impl Iterator<Item = (&'n str, &'n str, Option<&'n str>)>,
    ) {
        let names = aliases.filter_map(|(kind, value, scope)| Name::of(kind, value, scope));
        let set = (source, Part::Aliases);
        self.changed |= self.held.tell(uid, set, time, names.collect());
    }

    /// All uids that a DNS record leads to, as a source tells it.
    pub fn tell_targets<'n>(
        &mut self,
        uid: &str,
        source: &str,
        time: UnixNanos,
        targets: impl Iterator<Item = &'n str>,
    ) {
        let names = targets.map(|target| Name {
            kind: Kind::Target,
            value: target.into(),
            scope: "".into(),
        });
        let set = (source, Part::Targets);
        self.changed |= self.held.tell(uid, set, time, names.collect());
    }

    /// An alias that was seen by itself, and leads to the uid from a time on. An address that was
    /// seen so is not kept: nobody would say when another has it.
    pub fn see(
        &mut self,
        uid: &str,
        (kind, value, scope): (&str, &str, Option<&str>),
        from: UnixNanos,
        until: Option<UnixNanos>,
    ) {
        let Some(name) = Name::of(kind, value, scope) else {
            return;
        };
        if Kind::ADDRESSES.contains(&name.kind) && until.is_none() {
            return;
        }
        self.changed |= self.held.see(uid, Seen { name, from, until });
    }

    /// The uid is no more from this time on: no name leads to it.
    pub fn end(&mut self, uid: &str, time: UnixNanos) {
        self.changed |= self.held.end(uid, time);
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if self.changed {
            self.version.fetch_add(1, Ordering::Release);
        }
    }
}
