//! The description of a resource, and its hash.

use std::borrow::Cow;

use crate::attributes::{Map, unordered_hash};
use crate::hash::hash_of;

/// A resource as its receiver reports it.
///
/// `kind`, `provider` and the kinds of relations and aliases are any text. Most are constants; those of a Kubernetes
/// custom resource are known only at run time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    pub uid: String,
    /// The provider's type name: `AWS::EC2::SecurityGroup`.
    pub kind: Cow<'static, str>,
    pub name: Option<String>,
    pub provider: Cow<'static, str>,
    /// Empty if the resource has no account.
    pub account: String,
    pub region: Option<String>,
    /// All outgoing edges.
    pub relations: Vec<ResourceRelation>,
    /// All aliases.
    pub aliases: Vec<ResourceAlias>,
    /// Encoded [attributes](crate::attributes).
    pub tags: Vec<u8>,
    /// The resource as the API returns it: encoded [attributes](crate::attributes).
    pub configuration: Vec<u8>,
}

/// An outgoing edge.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceRelation {
    /// Usually one of [`edges::kind`](crate::schema::edges::kind).
    pub kind: Cow<'static, str>,
    /// The uid that the edge leads to.
    pub uid: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Encoded [attributes](crate::attributes); empty if the edge has no properties.
    pub properties: Vec<u8>,
}

/// An alias of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceAlias {
    /// Usually one of [`aliases::kind`](crate::schema::aliases::kind).
    pub kind: Cow<'static, str>,
    pub value: String,
    /// Where the value is unique: a VPC for a private IP; `None` if it is unique everywhere.
    pub scope: Option<String>,
}

impl ResourceRelation {
    /// An edge with the confidence 1 and no properties.
    pub fn to(kind: impl Into<Cow<'static, str>>, uid: impl Into<String>) -> ResourceRelation {
        ResourceRelation {
            kind: kind.into(),
            uid: uid.into(),
            confidence: 1.0,
            properties: Vec::new(),
        }
    }
}

impl ResourceAlias {
    /// An alias that is unique everywhere.
    pub fn new(kind: impl Into<Cow<'static, str>>, value: impl Into<String>) -> ResourceAlias {
        ResourceAlias {
            kind: kind.into(),
            value: value.into(),
            scope: None,
        }
    }

    /// An alias that is unique within a scope.
    pub fn within(
        scope: impl Into<String>,
        kind: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> ResourceAlias {
        ResourceAlias {
            scope: Some(scope.into()),
            ..ResourceAlias::new(kind, value)
        }
    }
}

impl Resource {
    /// The hash of all fields except the uid (XXH3, 64 bits); never 0 or 1. It never changes between versions, since
    /// stores keep it. The order of relations, aliases and attributes has no effect on it.
    pub fn state(&self) -> u64 {
        let words = [
            Some(&*self.kind),
            self.name.as_deref(),
            Some(&self.provider),
            Some(&self.account),
            self.region.as_deref(),
        ];
        let words = words.map(|word| word.map(str::as_bytes));
        let mut relations: Vec<_> = self.relations.iter().map(ResourceRelation::parts).collect();
        relations.sort_unstable();
        let mut aliases: Vec<_> = self.aliases.iter().map(ResourceAlias::parts).collect();
        aliases.sort_unstable();
        let relations = relations
            .iter()
            .flat_map(|(kind, uid, confidence, properties)| {
                [*kind, *uid, confidence.as_slice(), *properties].map(Some)
            });
        let aliases = aliases
            .iter()
            .flat_map(|(kind, value, scope)| [Some(*kind), Some(*value), *scope]);
        let maps = [&self.tags, &self.configuration];
        let map_hashes = maps.map(|map| unordered_hash(Map::new(map)).to_le_bytes());
        let map_hashes = map_hashes.iter().map(|hash| Some(hash.as_slice()));
        let parts = words.into_iter().chain(map_hashes).chain(relations);
        // `None` separates the relations from the aliases.
        hash_of(parts.chain([None]).chain(aliases))
    }
}

impl ResourceRelation {
    fn parts(&self) -> (&[u8], &[u8], [u8; 8], &[u8]) {
        let (kind, uid) = (self.kind.as_bytes(), self.uid.as_bytes());
        (kind, uid, self.confidence.to_le_bytes(), &self.properties)
    }
}

impl ResourceAlias {
    fn parts(&self) -> (&[u8], &[u8], Option<&[u8]>) {
        let scope = self.scope.as_deref().map(str::as_bytes);
        (self.kind.as_bytes(), self.value.as_bytes(), scope)
    }
}
