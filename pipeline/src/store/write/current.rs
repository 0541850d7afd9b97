//! What reads of now return, found anew for the nodes whose claims changed.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::Transaction;
use super::changes::CurrentChanges;
use super::scopes::NamedScopes;
use super::touched::TouchedNode;
use crate::claims::{Claim, Class, Existence, LastScan as _, STALE_AFTER, existence, winner};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::store::rows::{
    AliasRow, Content, EdgePage, EdgeRow, Listing, NodeId, NodeRow, Part, Projection, ReadRows,
    RowsError, ScopeKey, SnapshotKey, VersionKey, VersionRow, WriteRows,
};

/// Whose word counts on what a node is called: what is there, then what should be.
pub(in crate::store) const HEADER_ORDER: [Class; 5] = [
    Class::Actual,
    Class::Created,
    Class::Desired,
    Class::Telemetry,
    Class::Health,
];

/// What the current rows of some nodes are made of.
#[derive(Default)]
pub(super) struct Material {
    pub(super) versions: HashMap<VersionKey, VersionRow>,
    pub(super) snapshots: HashMap<SnapshotKey, Vec<u8>>,
    pub(super) edges: HashMap<NodeId, Vec<EdgeRow>>,
    pub(super) aliases: HashMap<NodeId, Vec<AliasRow>>,
}

impl<R: WriteRows> Transaction<'_, R> {
    pub(super) async fn write_current(&mut self) -> Result<(), RowsError> {
        let must_fold = |node: &TouchedNode| {
            let has_changed = node.claims.iter().any(|it| it.has_changed);
            has_changed || node.has_new_content || node.is_contested
        };
        let nodes = self.touched.0.iter().filter(|(_, node)| must_fold(node));
        let ids: Vec<NodeId> = nodes.map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let changes = self.current_changes(&ids).await?;
        let linked = changes.linked().filter_map(|id| self.touched.0.get(&id));
        self.news
            .links
            .extend(linked.map(|node| node.row.uid.clone()));
        self.write_changes(changes).await
    }
}

impl<R: ReadRows> Transaction<'_, R> {
    /// Compares what is stored of these touched nodes with their claims, all changes of which are written.
    pub(in crate::store) async fn current_changes(
        &mut self,
        ids: &[NodeId],
    ) -> Result<CurrentChanges, RowsError> {
        for id in ids {
            self.load_deletions(*id).await?;
        }
        let material = self.material(ids).await?;
        let mut changes = CurrentChanges::default();
        let mut relisted = Vec::new();
        for id in ids {
            let Some(node) = self.touched.0.get(id) else {
                continue;
            };
            let claims = node.all_claims();
            let row = self.node_row(node, &claims, &material);
            changes.count(&node.row, -1);
            changes.count(&row, 1);
            let open = self.contesting(*id, &claims, &row);
            if !open.is_empty() {
                changes.contested.extend(open);
            } else if node.is_contested {
                changes.settled.push(*id);
            }
            let has_news = node.claims.iter().any(|it| {
                it.has_news && !matches!(it.claim.key.class, Class::Edges | Class::Aliases)
            });
            let is_relisted = row.listing != node.row.listing;
            if has_news || is_relisted {
                self.news.nodes.push(row.uid.clone());
            }
            if is_relisted && !has_news {
                self.news.relisted.push(row.uid.clone());
            }
            if is_relisted && !node.is_new && !Self::has_new_snapshots(node) {
                relisted.push(row.clone());
            }
            changes.texts.compare(&node.row, &row);
            if row != node.row {
                changes.nodes.push(row);
            }
        }
        self.add_edges(ids, &material, &mut changes).await?;
        self.add_aliases(ids, &material, &mut changes);
        self.relist_aliases(&relisted, &mut changes.texts).await?;
        Ok(changes)
    }

    /// A claim that stayed open without a sign of life may have been stale at a deletion that only an
    /// earlier stretch knows.
    async fn load_deletions(&mut self, id: NodeId) -> Result<(), RowsError> {
        let Some(node) = self.touched.0.get(&id) else {
            return Ok(());
        };
        let lifecycle = || {
            let claims = node.claims.iter().map(|it| &it.claim);
            claims.filter(|claim| claim.key.class.is_lifecycle())
        };
        if node.is_new || lifecycle().count() < 2 {
            return Ok(());
        }
        let scopes = NamedScopes {
            scopes: &self.scopes,
            words: &self.words,
        };
        let activity = lifecycle().filter_map(|claim| {
            let scan = scopes.last_scan(&claim.key, At::Now).unwrap_or_default();
            Some(claim.open()?.seen.max(scan))
        });
        let last = lifecycle().filter_map(|claim| Some(claim.last()?.last_report()));
        let (Some(activity), Some(last)) = (activity.min(), last.max()) else {
            return Ok(());
        };
        match activity.after(STALE_AFTER) <= last {
            true => self.read_past(id, activity).await,
            false => Ok(()),
        }
    }

    pub(super) fn version_key(&self, node: NodeId, claim: &Claim, state: u64) -> VersionKey {
        VersionKey {
            node,
            source: self.words.number(&claim.key.source),
            scope: self.words.number(&claim.key.scope),
            state,
        }
    }

    async fn material(&mut self, ids: &[NodeId]) -> Result<Material, RowsError> {
        let mut keys = BTreeSet::new();
        let (mut with_snapshots, mut with_old) = (Vec::new(), Vec::new());
        for id in ids {
            let Some(node) = self.touched.0.get(id) else {
                continue;
            };
            for it in &node.claims {
                let last = it.claim.last();
                keys.extend(last.map(|last| self.version_key(*id, &it.claim, last.state)));
            }
            if Self::has_new_snapshots(node) {
                with_snapshots.push(*id);
                with_old.extend((!node.is_new).then_some(*id));
            }
        }
        let mut material = Material::default();
        for key in keys.extract_if(.., |key| self.ids.is_new(key.node)) {
            let new = self.new_versions.get(&key).cloned();
            material.versions.extend(new.map(|version| (key, version)));
        }
        let keys: Vec<VersionKey> = keys.into_iter().collect();
        for version in self.rows.versions(&keys, Projection::Header).await? {
            material.versions.insert(version.key, version);
        }
        let mut names = BTreeSet::new();
        for id in &with_snapshots {
            let Some(node) = self.touched.0.get(id) else {
                continue;
            };
            for (claim, stretch) in node.claims.iter().filter_map(|it| {
                let stretch = it.claim.open()?;
                Some((&it.claim, stretch))
            }) {
                let key = self.version_key(*id, claim, stretch.state);
                names.extend(snapshot_keys(&material, key));
            }
        }
        let names: Vec<SnapshotKey> = names.into_iter().collect();
        if !names.is_empty() {
            material.snapshots = self.rows.snapshots(&names).await?.into_iter().collect();
        }
        if !with_old.is_empty() {
            let page = EdgePage {
                after: None,
                limit: usize::MAX,
            };
            for row in self.rows.edges_out(&with_old, &[], &page).await? {
                material.edges.entry(row.key.from).or_default().push(row);
            }
            for row in self.rows.aliases(&with_old).await? {
                material.aliases.entry(row.key.node).or_default().push(row);
            }
        }
        Ok(material)
    }

    /// Whether the snapshots that hold may have changed.
    pub(super) fn has_new_snapshots(node: &TouchedNode) -> bool {
        let may_have = |class| !matches!(class, Class::Telemetry | Class::Health | Class::Created);
        let changed = node
            .claims
            .iter()
            .any(|it| it.has_news && may_have(it.claim.key.class));
        changed || node.has_new_content
    }

    fn node_row(&self, node: &TouchedNode, claims: &[Claim], material: &Material) -> NodeRow {
        let scopes = NamedScopes {
            scopes: &self.scopes,
            words: &self.words,
        };
        let existence = existence(claims, &scopes, At::Now);
        let mut row = NodeRow {
            ended: None,
            unobserved: None,
            has_lifecycle: existence != Existence::Unknown,
            ..node.row.clone()
        };
        let mut listing = Listing::Current;
        match existence {
            Existence::Exists => {}
            Existence::Ended(time) => {
                row.ended = Some(time);
                listing = Listing::Ended;
            }
            Existence::Unobserved(since) => row.unobserved = Some(since),
            Existence::Unknown => match standing(claims, At::Now) {
                Standing::Unknown => listing = Listing::None,
                Standing::Claimed => {}
                Standing::Ended(time) => {
                    row.ended = Some(time);
                    listing = Listing::Ended;
                }
            },
        }
        row.listing = match row.same_as {
            Some(_) => Listing::None,
            None => listing,
        };
        let contents: Vec<&Content> = HEADER_ORDER
            .iter()
            .filter_map(|class| {
                let (claim, stretch) = winner(claims, *class, At::Now)?;
                let key = self.version_key(node.row.id, claim, stretch.state);
                material.versions.get(&key)?.content.as_ref()
            })
            .collect();
        let word = |of: fn(&Content) -> i64| {
            let mut known = contents.iter().map(|content| of(content));
            known.find(|word| *word != 0).unwrap_or_default()
        };
        row.kind = word(|content| content.kind);
        row.provider = word(|content| content.provider);
        row.account = word(|content| content.account);
        row.region = word(|content| content.region);
        row.name = contents.iter().find_map(|content| content.name.clone());
        row.tags = contents.iter().find_map(|content| content.tags.clone());
        if let Some((first, last)) = node.reported {
            let known = Some(row.first_seen).filter(|known| known.0 > 0);
            row.first_seen = known.map_or(first, |known| known.min(first));
            row.last_seen = row.last_seen.max(last);
        }
        let last = claims.iter().filter_map(Claim::last);
        let changed = last.map(|it| it.until.map_or(it.since, |(until, _)| until));
        row.changed = changed.fold(row.changed, UnixNanos::max);
        row
    }

    /// The scopes of the claims that are open although the node is not current.
    fn contesting(&self, id: NodeId, claims: &[Claim], row: &NodeRow) -> Vec<(ScopeKey, NodeId)> {
        if row.ended.is_none() && row.unobserved.is_none() {
            return Vec::new();
        }
        let open = claims.iter().filter(|claim| {
            let key = &claim.key;
            claim.open().is_some() && key.class.is_lifecycle() && !key.scope.is_empty()
        });
        open.map(|claim| {
            let key = &claim.key;
            (self.scope_key(key.class, &key.source, &key.scope), id)
        })
        .collect()
    }
}

/// What claims that say nothing of existence make of a node.
pub(in crate::store) enum Standing {
    /// Nothing: only edges lead to it, or start there.
    Unknown,
    Claimed,
    /// All that ever declared it stopped doing so.
    Ended(UnixNanos),
}

pub(in crate::store) fn standing(claims: &[Claim], at: At) -> Standing {
    let of_node = || {
        claims.iter().filter(|claim| {
            matches!(
                claim.key.class,
                Class::Desired | Class::Telemetry | Class::Health
            )
        })
    };
    let is_open = |claim: &Claim| match at {
        At::Now => claim.open().is_some(),
        At::Time(time) => claim.at(time).is_some(),
    };
    if of_node().any(is_open) {
        return Standing::Claimed;
    }
    let ends = of_node().flat_map(|claim| &claim.stretches);
    let ends = ends.filter_map(|stretch| stretch.until);
    let ends = ends.map(|(until, _)| until).filter(|until| match at {
        At::Now => true,
        At::Time(time) => *until <= time,
    });
    match ends.max() {
        Some(last) => Standing::Ended(last),
        None => Standing::Unknown,
    }
}

fn snapshot_keys(material: &Material, key: VersionKey) -> impl Iterator<Item = SnapshotKey> {
    let version = material.versions.get(&key);
    let edges = version.and_then(|it| it.edges).map(|it| (Part::Edges, it));
    let aliases = version
        .and_then(|it| it.aliases)
        .map(|it| (Part::Aliases, it));
    edges
        .into_iter()
        .chain(aliases)
        .map(move |(part, hash)| SnapshotKey {
            node: key.node,
            part,
            hash,
        })
}

pub(super) fn snapshot_of(material: &Material, key: VersionKey, part: Part) -> Option<&[u8]> {
    let names = snapshot_keys(material, key).find(|name| name.part == part)?;
    material.snapshots.get(&names).map(Vec::as_slice)
}
