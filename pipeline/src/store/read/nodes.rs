//! Nodes by uid.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map as JsonMap, Value as Json};

use super::super::rows::{
    Content, NodeId, NodeRow, Projection, ReadRows, RowsError, VersionKey, VersionRow, Word,
};
use super::super::write::current::HEADER_ORDER;
use super::same_as::SameAs;
use super::session::Session;
use crate::attributes::{Map, map_to_json};
use crate::claims::{Class, open_at, winner};
use crate::component::UnixNanos;
use crate::graph_store::{At, Fact, Node};
use crate::schema::nodes::group;

/// The kind of a node that nothing describes.
pub(super) const UNKNOWN: &str = "unknown";

/// What a node is called.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) kind: Word,
    pub(super) provider: Word,
    pub(super) account: Word,
    pub(super) region: Word,
    pub(super) name: Option<String>,
    pub(super) tags: Option<Vec<u8>>,
}

/// The group in which the value of a class stands. What a create event reports counts where no scan
/// says more.
const GROUPS: [(Class, &str); 5] = [
    (Class::Actual, group::ACTUAL),
    (Class::Created, group::ACTUAL),
    (Class::Desired, group::DESIRED),
    (Class::Telemetry, group::TELEMETRY),
    (Class::Health, group::HEALTH),
];

impl<R: ReadRows> Session<R> {
    pub(super) async fn nodes(&mut self, uids: &[String]) -> Result<Vec<Option<Node>>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let known: Vec<NodeId> = ids.iter().flatten().copied().collect();
        let (nodes, same) = self.nodes_of(&known).await?;
        let node = |id: Option<NodeId>| nodes.get(&same.canonical(id?)).cloned();
        Ok(ids.into_iter().map(node).collect())
    }

    /// The nodes of which these are names, and placeholders of those that only edges lead to.
    pub(super) async fn nodes_of(
        &mut self,
        known: &[NodeId],
    ) -> Result<(HashMap<NodeId, Node>, SameAs), RowsError> {
        if self.at == At::Now {
            self.load_full(known).await?;
        }
        let same = self.owners(known).await?;
        let canonical = known.iter().map(|id| same.canonical(*id));
        let canonical: BTreeSet<NodeId> = canonical.collect();
        let canonical: Vec<NodeId> = canonical.into_iter().collect();
        let mut nodes = self.claimed_nodes(&canonical).await?;
        let unknown = canonical.iter().filter(|id| !nodes.contains_key(id));
        let unknown: Vec<NodeId> = unknown.copied().collect();
        nodes.extend(self.placeholders(&unknown).await?);
        Ok((nodes, same))
    }

    /// Those of these very nodes of which something is claimed.
    pub(super) async fn claimed_nodes(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, Node>, RowsError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        if self.at == At::Now {
            self.load_full(ids).await?;
        }
        self.load_lives(ids).await?;
        self.load_claims(ids).await?;
        let claimed = ids.iter().copied().filter(|id| self.is_claimed(*id));
        let claimed: Vec<NodeId> = claimed.collect();
        let versions = self.winners(&claimed, Projection::Full).await?;
        let mut headers = Vec::with_capacity(claimed.len());
        for id in &claimed {
            headers.push(match self.header(*id) {
                Some(row) if self.at == At::Now => Header::of_row(row),
                _ => self.header_at(*id, &versions),
            });
        }
        let words = headers
            .iter()
            .flat_map(|it| [it.kind, it.provider, it.account, it.region]);
        self.words.read(&mut self.rows, words).await?;
        let nodes = claimed.into_iter().zip(headers);
        Ok(nodes
            .map(|(id, header)| (id, self.node(id, header, &versions)))
            .collect())
    }

    /// The versions that the winners of each class name.
    pub(super) async fn winners(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<HashMap<VersionKey, VersionRow>, RowsError> {
        let keys = ids.iter().flat_map(|id| {
            let of = HEADER_ORDER.iter();
            of.filter_map(|class| self.winner_of(*id, *class))
        });
        let keys: Vec<VersionKey> = keys.collect();
        self.versions(keys, projection).await
    }

    fn winner_of(&self, id: NodeId, class: Class) -> Option<VersionKey> {
        let (claim, stretch) = winner(self.claims(id), class, self.at)?;
        Some(self.version_key(id, &claim.key, stretch.state))
    }

    /// What a node was called at the moment.
    pub(super) fn header_at(
        &self,
        id: NodeId,
        versions: &HashMap<VersionKey, VersionRow>,
    ) -> Header {
        let contents = HEADER_ORDER.iter().filter_map(|class| {
            let version = versions.get(&self.winner_of(id, *class)?)?;
            version.content.as_ref()
        });
        let contents: Vec<&Content> = contents.collect();
        let word = |of: fn(&Content) -> Word| {
            let mut words = contents.iter().map(|content| of(content));
            words.find(|word| *word != 0).unwrap_or_default()
        };
        Header {
            kind: word(|content| content.kind),
            provider: word(|content| content.provider),
            account: word(|content| content.account),
            region: word(|content| content.region),
            name: contents.iter().find_map(|content| content.name.clone()),
            tags: contents.iter().find_map(|content| content.tags.clone()),
        }
    }

    fn node(&self, id: NodeId, header: Header, versions: &HashMap<VersionKey, VersionRow>) -> Node {
        let life = self.life(id);
        let first_seen = self.first_seen(id);
        Node {
            uid: self.uid(id).to_owned(),
            kind: self.kind(header.kind),
            name: header.name,
            provider: self.words.owned(header.provider),
            account: self.words.owned(header.account),
            region: self.words.owned(header.region),
            tags: header.tags.as_deref().map(object).unwrap_or_default(),
            facts: self.facts(id, first_seen, versions),
            first_seen,
            last_seen: self.last_seen(id).unwrap_or(first_seen),
            ended: life.ended,
            unobserved_since: life.unobserved,
        }
    }

    pub(super) fn kind(&self, word: Word) -> String {
        self.words.owned(word).unwrap_or_else(|| UNKNOWN.to_owned())
    }

    fn first_seen(&self, id: NodeId) -> UnixNanos {
        let reported = self.header(id).map(|row| row.first_seen);
        let reported = reported.filter(|first| first.0 > 0 && self.is_past(*first));
        let claims = super::session::of_node(self.claims(id));
        let claimed = claims.flat_map(|claim| &claim.stretches).map(|it| it.since);
        reported.or(claimed.min()).unwrap_or_default()
    }

    fn facts(
        &self,
        id: NodeId,
        first_seen: UnixNanos,
        versions: &HashMap<VersionKey, VersionRow>,
    ) -> BTreeMap<String, Fact> {
        let mut facts = BTreeMap::new();
        let exists = self.existence_fact(id, first_seen);
        facts.extend(exists.map(|fact| (group::LIFECYCLE.to_owned(), fact)));
        for (class, group) in GROUPS {
            let Some((claim, stretch)) = winner(self.claims(id), class, self.at) else {
                continue;
            };
            let key = self.version_key(id, &claim.key, stretch.state);
            let content = versions.get(&key).and_then(|it| it.content.as_ref());
            let Some(value) = content.and_then(|content| content.value.as_deref()) else {
                continue;
            };
            facts.entry(group.to_owned()).or_insert_with(|| Fact {
                source: claim.key.source.as_ref().to_owned(),
                value: object(value),
                first_seen: stretch.since,
                last_seen: self.last_sighting(claim, stretch),
            });
        }
        facts
    }

    /// Whose word it is that the node exists: of the open claims the one that was confirmed last.
    fn existence_fact(&self, id: NodeId, first_seen: UnixNanos) -> Option<Fact> {
        let open = open_at(self.claims(id), self.at);
        let open = open.filter(|(claim, _)| claim.key.class.is_lifecycle());
        let seen = open.map(|(claim, stretch)| {
            let last = self.last_sighting(claim, stretch);
            (last, claim.key.source.clone())
        });
        let (last_seen, source) = seen.max()?;
        let life = self.life(id);
        (life.ended.is_none() && life.unobserved.is_none()).then(|| Fact {
            source: source.as_ref().to_owned(),
            value: JsonMap::from_iter([("exists".to_owned(), Json::Bool(true))]),
            first_seen,
            last_seen,
        })
    }
}

impl Header {
    fn of_row(row: &NodeRow) -> Header {
        Header {
            kind: row.kind,
            provider: row.provider,
            account: row.account,
            region: row.region,
            name: row.name.clone(),
            tags: row.tags.clone(),
        }
    }
}

/// Attributes as people read them.
pub(super) fn object(bytes: &[u8]) -> JsonMap<String, Json> {
    map_to_json(Map::new(bytes))
}
