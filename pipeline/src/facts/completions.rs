//! What completed scans saw.

use std::collections::HashMap;
use std::sync::Arc;

use super::fact::seen;
use super::members::Members;
use crate::component::UnixNanos;
use crate::graph_store::At;

/// A scan of a scope that found exactly these members; of several such scans, the first and the
/// last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub scope: String,
    pub source: String,
    /// What was scanned: `actual` or `desired`.
    pub group: String,
    /// When the first of these scans began.
    pub first_began: UnixNanos,
    /// When the last of these scans began.
    pub last_began: UnixNanos,
    pub members: Arc<Members>,
}

/// What was scanned, by whom, and whether it is `actual` or `desired`.
pub(super) type Scan<'a> = (&'a str, &'a str, &'a str);

impl Completion {
    /// When the last of these scans up to a moment began.
    pub(super) fn seen(&self, at: At) -> Option<UnixNanos> {
        seen(self.first_began, self.last_began, at)
    }
}

/// The completions of some scopes.
#[derive(Clone, Debug, Default)]
pub struct Completions(HashMap<(String, String, String), Vec<Completion>>);

impl Completions {
    /// Takes one in. Adding the same scan again changes nothing.
    pub fn add(&mut self, completion: Completion) {
        let key = (
            completion.scope.clone(),
            completion.source.clone(),
            completion.group.clone(),
        );
        let known = self.0.entry(key).or_default();
        match known
            .iter_mut()
            .find(|known| known.members == completion.members)
        {
            None => known.push(completion),
            Some(same) => {
                same.first_began = same.first_began.min(completion.first_began);
                same.last_began = same.last_began.max(completion.last_began);
            }
        }
    }

    /// Every set of members that scans of this scope have found.
    pub(super) fn of(&self, (scope, source, group): Scan<'_>) -> &[Completion] {
        let key = (scope.to_owned(), source.to_owned(), group.to_owned());
        self.0.get(&key).map_or(&[], Vec::as_slice)
    }

    /// When the first scan after a moment began that did not see this uid.
    pub fn first_without(&self, scan: Scan<'_>, uid: u64, after: UnixNanos) -> Option<UnixNanos> {
        self.of(scan)
            .iter()
            .filter(|known| known.members.state_of(uid).is_none())
            .flat_map(|known| [known.first_began, known.last_began])
            .filter(|began| *began > after)
            .min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
