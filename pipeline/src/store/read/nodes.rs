//! Reads nodes by uid.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map as JsonMap, Value as Json};

use super::reader::GraphReader;
use super::same_as::OwnerMap;
use crate::attributes::{Map, map_to_json};
use crate::claims::{ClaimClass, open_at, winner};
use crate::component::UnixNanos;
use crate::graph_store::{AsOf, Fact, Node};
use crate::schema::nodes::group;
use crate::store::rows::{
    NodeId, NodeRow, Projection, ReadRows, RowsError, VersionContent, VersionKey, VersionRow, Word,
};
use crate::store::write::current::HEADER_PRECEDENCE;

/// The kind of a node that no claim describes.
pub(super) const UNKNOWN: &str = "unknown";

/// The columns that identify and classify a node.
#[derive(Debug, Default)]
pub(super) struct NodeHeader {
    pub(super) kind: Word,
    pub(super) provider: Word,
    pub(super) account: Word,
    pub(super) region: Word,
    pub(super) name: Option<String>,
    pub(super) tags: Option<Vec<u8>>,
}

/// The fact group of each class. The value of a create event is used if no scan has one.
const GROUPS: [(ClaimClass, &str); 5] = [
    (ClaimClass::Actual, group::ACTUAL),
    (ClaimClass::Created, group::ACTUAL),
    (ClaimClass::Desired, group::DESIRED),
    (ClaimClass::Telemetry, group::TELEMETRY),
    (ClaimClass::Health, group::HEALTH),
];

impl<R: ReadRows> GraphReader<R> {
    /// Returns the node of each uid, in order; `None` if nothing is known of a uid.
    pub(super) async fn nodes(&mut self, uids: &[String]) -> Result<Vec<Option<Node>>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let found: Vec<NodeId> = ids.iter().flatten().copied().collect();
        let (nodes, owners) = self.nodes_of(&found).await?;
        let node = |id: Option<NodeId>| nodes.get(&owners.canonical(id?)).cloned();
        Ok(ids.into_iter().map(node).collect())
    }

    /// Returns these nodes, and the owners of merged ones. A merged node is replaced with its owner, and a node that
    /// only edges refer to is a placeholder.
    pub(super) async fn nodes_of(
        &mut self,
        ids: &[NodeId],
    ) -> Result<(HashMap<NodeId, Node>, OwnerMap), RowsError> {
        if self.as_of == AsOf::Now {
            self.load_full(ids).await?;
        }
        let owners = self.load_owners(ids).await?;
        let canonical = ids.iter().map(|id| owners.canonical(*id));
        let canonical: BTreeSet<NodeId> = canonical.collect();
        let canonical: Vec<NodeId> = canonical.into_iter().collect();
        let mut nodes = self.claimed_nodes(&canonical).await?;
        let unknown = canonical.iter().filter(|id| !nodes.contains_key(id));
        let unknown: Vec<NodeId> = unknown.copied().collect();
        nodes.extend(self.placeholders(&unknown).await?);
        Ok((nodes, owners))
    }

    /// Returns those of these nodes that have a claim.
    pub(super) async fn claimed_nodes(
        &mut self,
        ids: &[NodeId],
    ) -> Result<HashMap<NodeId, Node>, RowsError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        if self.as_of == AsOf::Now {
            self.load_full(ids).await?;
        }
        self.load_lifecycles(ids).await?;
        self.load_claims(ids).await?;
        let claimed = ids.iter().copied().filter(|id| self.is_claimed(*id));
        let claimed: Vec<NodeId> = claimed.collect();
        let versions = self.winning_versions(&claimed, Projection::Full).await?;
        let mut headers = Vec::with_capacity(claimed.len());
        for id in &claimed {
            headers.push(match self.header(*id) {
                Some(row) if self.as_of == AsOf::Now => NodeHeader::of_row(row),
                _ => self.header_at(*id, &versions),
            });
        }
        let words = headers
            .iter()
            .flat_map(|it| [it.kind, it.provider, it.account, it.region]);
        self.words.load_texts(&mut self.rows, words).await?;
        let nodes = claimed.into_iter().zip(headers);
        Ok(nodes
            .map(|(id, header)| (id, self.node(id, header, &versions)))
            .collect())
    }

    /// Returns the versions that the winning claim of each class refers to.
    pub(super) async fn winning_versions(
        &mut self,
        ids: &[NodeId],
        projection: Projection,
    ) -> Result<HashMap<VersionKey, VersionRow>, RowsError> {
        let keys = ids.iter().flat_map(|id| {
            let of = HEADER_PRECEDENCE.iter();
            of.filter_map(|class| self.winning_version(*id, *class))
        });
        let keys: Vec<VersionKey> = keys.collect();
        self.versions(keys, projection).await
    }

    fn winning_version(&self, id: NodeId, class: ClaimClass) -> Option<VersionKey> {
        let (claim, interval) = winner(self.claims(id), class, self.as_of)?;
        Some(self.words.version_key(id, &claim.key, interval.state))
    }

    /// Returns the header of a node at the time of the read.
    pub(super) fn header_at(
        &self,
        id: NodeId,
        versions: &HashMap<VersionKey, VersionRow>,
    ) -> NodeHeader {
        let contents = HEADER_PRECEDENCE.iter().filter_map(|class| {
            let version = versions.get(&self.winning_version(id, *class)?)?;
            version.content.as_ref()
        });
        let contents: Vec<&VersionContent> = contents.collect();
        let word = |of: fn(&VersionContent) -> Word| {
            let mut words = contents.iter().map(|content| of(content));
            words.find(|word| *word != 0).unwrap_or_default()
        };
        NodeHeader {
            kind: word(|content| content.kind),
            provider: word(|content| content.provider),
            account: word(|content| content.account),
            region: word(|content| content.region),
            name: contents.iter().find_map(|content| content.name.clone()),
            tags: contents.iter().find_map(|content| content.tags.clone()),
        }
    }

    fn node(
        &self,
        id: NodeId,
        header: NodeHeader,
        versions: &HashMap<VersionKey, VersionRow>,
    ) -> Node {
        let lifecycle = self.lifecycle(id);
        let first_seen = self.first_seen(id);
        Node {
            uid: self.uid(id).to_owned(),
            kind: self.kind(header.kind),
            name: header.name,
            provider: self.words.owned_text(header.provider),
            account: self.words.owned_text(header.account),
            region: self.words.owned_text(header.region),
            tags: header.tags.as_deref().map(object).unwrap_or_default(),
            facts: self.facts(id, first_seen, versions),
            first_seen,
            last_seen: self.last_seen(id).unwrap_or(first_seen),
            ended: lifecycle.ended,
            unobserved_since: lifecycle.unobserved,
        }
    }

    pub(super) fn kind(&self, word: Word) -> String {
        self.words
            .owned_text(word)
            .unwrap_or_else(|| UNKNOWN.to_owned())
    }

    fn first_seen(&self, id: NodeId) -> UnixNanos {
        let reported = self.header(id).map(|row| row.first_seen);
        let reported = reported.filter(|first| first.0 > 0 && self.has_happened(*first));
        let claims = super::reader::claims_of_node(self.claims(id));
        let claimed = claims.flat_map(|claim| &claim.intervals).map(|it| it.since);
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
            let Some((claim, interval)) = winner(self.claims(id), class, self.as_of) else {
                continue;
            };
            let key = self.words.version_key(id, &claim.key, interval.state);
            let content = versions.get(&key).and_then(|it| it.content.as_ref());
            let Some(value) = content.and_then(|content| content.value.as_deref()) else {
                continue;
            };
            facts.entry(group.to_owned()).or_insert_with(|| Fact {
                source: claim.key.source.as_ref().to_owned(),
                value: object(value),
                first_seen: interval.since,
                last_seen: self.last_sighting(claim, interval),
            });
        }
        facts
    }

    /// Returns the fact that the node exists: its source is the open claim that was confirmed last.
    fn existence_fact(&self, id: NodeId, first_seen: UnixNanos) -> Option<Fact> {
        let open = open_at(self.claims(id), self.as_of);
        let open = open.filter(|(claim, _)| claim.key.class.is_lifecycle());
        let seen = open.map(|(claim, interval)| {
            let last = self.last_sighting(claim, interval);
            (last, claim.key.source.clone())
        });
        let (last_seen, source) = seen.max()?;
        let lifecycle = self.lifecycle(id);
        (lifecycle.ended.is_none() && lifecycle.unobserved.is_none()).then(|| Fact {
            source: source.as_ref().to_owned(),
            value: JsonMap::from_iter([("exists".to_owned(), Json::Bool(true))]),
            first_seen,
            last_seen,
        })
    }
}

impl NodeHeader {
    fn of_row(row: &NodeRow) -> NodeHeader {
        NodeHeader {
            kind: row.kind,
            provider: row.provider,
            account: row.account,
            region: row.region,
            name: row.name.clone(),
            tags: row.tags.clone(),
        }
    }
}

/// Converts encoded attributes to JSON.
pub(super) fn object(bytes: &[u8]) -> JsonMap<String, Json> {
    map_to_json(Map::new(bytes))
}
