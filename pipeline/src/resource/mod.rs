//! One thing that a scan, a watch or a state file tells of, and the rows of `resources` that do.
//!
//! ```text
//!  a page of an API ──▶ Resource ──Scan::observed──▶ Rows ──▶ Batch ──Observed::of──▶ `graph`
//! ```

use std::borrow::Cow;

use crate::attributes::{Map, unordered_hash};
use crate::hash::hash_of;

mod observed;
mod scan;

pub use observed::{AliasItem, Items, Observed, RelationItem};
pub use scan::Scan;

/// A resource as its receiver knows it.
///
/// The words in it (`kind`, `provider`, the kinds of relations and aliases) are any text: most are
/// constants, those of a Kubernetes custom resource are known only when it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    pub uid: String,
    /// The provider's type name: `AWS::EC2::SecurityGroup`.
    pub kind: Cow<'static, str>,
    pub name: Option<String>,
    pub provider: Cow<'static, str>,
    /// Empty where it has none.
    pub account: String,
    pub region: Option<String>,
    /// All outgoing edges.
    pub relations: Vec<Relation>,
    /// All other names.
    pub aliases: Vec<Alias>,
    /// Attributes, encoded.
    pub tags: Vec<u8>,
    /// The resource as the API gives it: attributes, encoded.
    pub configuration: Vec<u8>,
}

/// An outgoing edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Mostly one of [`edges::kind`](crate::schema::edges::kind).
    pub kind: Cow<'static, str>,
    /// Where it leads.
    pub uid: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Attributes, encoded; empty where nothing else is known of it.
    pub properties: Vec<u8>,
}

/// Another name of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Mostly one of [`aliases::kind`](crate::schema::aliases::kind).
    pub kind: Cow<'static, str>,
    pub value: String,
    /// Where the value is unique: a VPC for a private IP; none for everywhere.
    pub scope: Option<String>,
}

impl Relation {
    /// A certain edge of which nothing else is known.
    pub fn to(kind: impl Into<Cow<'static, str>>, uid: impl Into<String>) -> Relation {
        Relation {
            kind: kind.into(),
            uid: uid.into(),
            confidence: 1.0,
            properties: Vec::new(),
        }
    }
}

impl Alias {
    /// A name that is unique everywhere.
    pub fn new(kind: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Alias {
        Alias {
            kind: kind.into(),
            value: value.into(),
            scope: None,
        }
    }

    /// A name that is unique within something.
    pub fn within(
        scope: impl Into<String>,
        kind: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Alias {
        Alias {
            scope: Some(scope.into()),
            ..Alias::new(kind, value)
        }
    }
}

impl Resource {
    /// A hash of all that is said of the resource (XXH3, 64 bits, stable for ever: it is stored);
    /// never 0 or 1. In which order anything is told means nothing.
    pub fn state(&self) -> u64 {
        let words = [
            Some(&*self.kind),
            self.name.as_deref(),
            Some(&self.provider),
            Some(&self.account),
            self.region.as_deref(),
        ];
        let words = words.map(|word| word.map(str::as_bytes));
        let mut relations: Vec<_> = self.relations.iter().map(Relation::parts).collect();
        relations.sort_unstable();
        let mut aliases: Vec<_> = self.aliases.iter().map(Alias::parts).collect();
        aliases.sort_unstable();
        let relations = relations.iter().flat_map(|(kind, uid, confidence, more)| {
            [*kind, *uid, confidence.as_slice(), *more].map(Some)
        });
        let aliases = aliases
            .iter()
            .flat_map(|(kind, value, scope)| [Some(*kind), Some(*value), *scope]);
        let whole = [&self.tags, &self.configuration];
        let whole = whole.map(|map| unordered_hash(Map::new(map)).to_le_bytes());
        let whole = whole.iter().map(|hash| Some(hash.as_slice()));
        let parts = words.into_iter().chain(whole).chain(relations);
        // A missing part ends a list.
        hash_of(parts.chain([None]).chain(aliases))
    }
}

impl Relation {
    fn parts(&self) -> (&[u8], &[u8], [u8; 8], &[u8]) {
        let (kind, uid) = (self.kind.as_bytes(), self.uid.as_bytes());
        (kind, uid, self.confidence.to_le_bytes(), &self.properties)
    }
}

impl Alias {
    fn parts(&self) -> (&[u8], &[u8], Option<&[u8]>) {
        let scope = self.scope.as_deref().map(str::as_bytes);
        (self.kind.as_bytes(), self.value.as_bytes(), scope)
    }
}

#[cfg(test)]
mod tests;
