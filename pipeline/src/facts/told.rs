//! What a batch tells a store.

use std::borrow::Cow;

use super::completions::Completion;
use super::fact::Fact;
use crate::component::UnixNanos;

/// Borrowed from the batch. Of each signal only its own lists are filled.
#[derive(Debug, Default)]
pub struct Told<'a> {
    /// Facts of nodes, and one for each set of edges or aliases.
    pub facts: Vec<Fact<'a>>,
    /// For each fact, in the same order, whether a completion will vouch for it.
    pub scanned: Vec<bool>,
    pub completions: Vec<Completion>,
    pub relations: Vec<Relation<'a>>,
    pub aliases: Vec<Alias<'a>>,
    pub figures: Vec<Figures<'a>>,
    pub changes: Vec<Change<'a>>,
    /// Rows that say nothing that can be kept, since they name no uid.
    pub without_uid: usize,
}

/// An edge: one of a set, or one that was seen by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation<'a> {
    pub uid: Cow<'a, str>,
    pub source: Cow<'a, str>,
    /// The hash of the set's fact; 0 where it was seen by itself.
    pub set: u64,
    pub kind: Cow<'a, str>,
    pub to: Cow<'a, str>,
    pub confidence: f64,
    /// Attributes.
    pub properties: Option<Cow<'a, [u8]>>,
    /// Of one that was seen by itself; a set's fact has the times of a set.
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// Another name of a uid: one of a set, or one that was seen by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias<'a> {
    pub uid: Cow<'a, str>,
    pub source: Cow<'a, str>,
    /// The hash of the set's fact; 0 where it was seen by itself.
    pub set: u64,
    pub kind: Cow<'a, str>,
    pub value: Cow<'a, str>,
    /// Where the name is unique; empty for everywhere.
    pub scope: Cow<'a, str>,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// A row of `edge_figures`.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures<'a> {
    pub from: Cow<'a, str>,
    pub kind: Cow<'a, str>,
    pub to: Cow<'a, str>,
    pub connection_type: Cow<'a, str>,
    pub minute: UnixNanos,
    pub writer: Cow<'a, str>,
    pub chunk: u32,
    pub calls: u64,
    pub errors: u64,
    pub duration_sum: f64,
    pub duration_max: f64,
    pub scale: i32,
    pub offset: i32,
    pub counts: Vec<u64>,
}

/// A row of `changes`.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    pub id: Cow<'a, str>,
    pub time: UnixNanos,
    pub source: Cow<'a, str>,
    /// Every uid that it names, each once.
    pub uids: Vec<Cow<'a, str>>,
    /// The uid that was changed.
    pub uid: Option<Cow<'a, str>>,
    pub event_name: Cow<'a, str>,
    pub actor: Option<Cow<'a, str>>,
    /// The whole row, as JSON.
    pub details: String,
}

impl<'a> Told<'a> {
    pub(super) fn fact(&mut self, fact: Fact<'a>, scanned: bool) {
        self.facts.push(fact);
        self.scanned.push(scanned);
    }
}
