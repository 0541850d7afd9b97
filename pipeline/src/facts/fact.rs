//! One fact.

use std::borrow::Cow;

use xxhash_rust::xxh3::Xxh3Default;

use crate::component::UnixNanos;
use crate::graph_store::At;

/// The groups of facts: those of `nodes`, and the sets that belong to a uid.
pub mod group {
    pub use crate::schema::nodes::group::*;

    /// All outgoing edges that one source tells of the uid.
    pub const EDGES: &str = "edges";
    /// All other names that one source tells of the uid.
    pub const ALIASES: &str = "aliases";
}

/// What one source says of one group of a uid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<'a> {
    pub uid: Cow<'a, str>,
    pub group: Cow<'a, str>,
    pub source: Cow<'a, str>,
    /// The scope whose scan saw it; empty where no scan did.
    pub scope: Cow<'a, str>,
    /// Names the value: equal values of one source have equal hashes. [`Fact::TOMBSTONE`] says
    /// that there is none.
    pub hash: u64,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
    pub content: Content<'a>,
}

/// The value of a fact, and what it says of the node as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content<'a> {
    pub kind: Option<Cow<'a, str>>,
    pub name: Option<Cow<'a, str>>,
    pub provider: Option<Cow<'a, str>>,
    pub account: Option<Cow<'a, str>>,
    pub region: Option<Cow<'a, str>>,
    /// Attributes.
    pub tags: Option<Cow<'a, [u8]>>,
    /// Attributes.
    pub value: Option<Cow<'a, [u8]>>,
}

impl Fact<'_> {
    /// The hash of what has ended.
    pub const TOMBSTONE: u64 = 0;

    pub fn is_tombstone(&self) -> bool {
        self.hash == Fact::TOMBSTONE
    }

    /// When it was last seen to hold, of all that is known at a moment.
    pub fn seen(&self, at: At) -> Option<UnixNanos> {
        seen(self.first_seen, self.last_seen, at)
    }

    /// The scans that vouch for it: those of what is actual say what exists.
    pub(super) fn scan(&self) -> (&str, &str, &str) {
        let group = match self.group.as_ref() {
            group::LIFECYCLE => group::ACTUAL,
            other => other,
        };
        (&self.scope, &self.source, group)
    }
}

/// The last sighting up to a moment of what was first and last seen at these times.
pub fn seen(first: UnixNanos, last: UnixNanos, at: At) -> Option<UnixNanos> {
    match at {
        At::Now => Some(last),
        At::Time(time) if last <= time => Some(last),
        At::Time(time) if first <= time => Some(first),
        At::Time(_) => None,
    }
}

impl Content<'_> {
    /// Names the content (XXH3, 64 bits, stable for ever: it is stored); never 0 or 1.
    pub fn hash(&self) -> u64 {
        let texts = [
            &self.kind,
            &self.name,
            &self.provider,
            &self.account,
            &self.region,
        ];
        let texts = texts.map(|text| text.as_deref().map(str::as_bytes));
        let [kind, name, provider, account, region] = texts;
        let tags = self.tags.as_deref();
        hash_of([
            kind,
            name,
            provider,
            account,
            region,
            tags,
            self.value.as_deref(),
        ])
    }
}

/// A hash of several values that may be missing (XXH3, 64 bits, stable for ever: it is stored);
/// never 0 or 1, which have a meaning of their own.
pub fn hash_of<'a>(parts: impl IntoIterator<Item = Option<&'a [u8]>>) -> u64 {
    let mut hasher = Xxh3Default::new();
    for part in parts {
        // The length before each, so that no two lists of parts look alike.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hasher.update(&length.to_le_bytes());
        hasher.update(part.unwrap_or_default());
    }
    hasher.digest().max(2)
}
