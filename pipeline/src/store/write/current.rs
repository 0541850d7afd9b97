//! Computes the current rows of the nodes whose claims changed: existence, listing, header, counts and texts.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::Transaction;
use super::current_changes::CurrentChanges;
use super::loaded_nodes::LoadedNode;
use super::scope_cache::ScopeScanTimes;
use crate::claims::{Claim, ClaimClass, Existence, LastScan as _, STALE_AFTER, existence, winner};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::store::rows::{
    AliasRow, EdgePage, EdgeRow, Listing, NodeId, NodeRow, Projection, ReadRows, RowsError,
    ScopeKey, SnapshotKey, SnapshotKind, VersionContent, VersionKey, VersionRow, WriteRows,
};

/// The classes whose values can set the header of a node (kind, provider, account, region, name, tags), in descending
/// precedence: the values of what exists before those of what is declared.
pub(in crate::store) const HEADER_PRECEDENCE: [ClaimClass; 5] = [
    ClaimClass::Actual,
    ClaimClass::Created,
    ClaimClass::Desired,
    ClaimClass::Telemetry,
    ClaimClass::Health,
];

/// The stored rows from which the current rows of some nodes are computed.
#[derive(Default)]
pub(super) struct CurrentInputs {
    /// Without their values.
    pub(super) versions: HashMap<VersionKey, VersionRow>,
    pub(super) snapshots: HashMap<SnapshotKey, Vec<u8>>,
    /// Current edges by the node where they start.
    pub(super) edges: HashMap<NodeId, Vec<EdgeRow>>,
    pub(super) aliases: HashMap<NodeId, Vec<AliasRow>>,
}

impl<R: WriteRows> Transaction<'_, R> {
    /// Writes the current rows of all loaded nodes that changed or are contested.
    pub(super) async fn write_current_rows(&mut self) -> Result<(), RowsError> {
        let must_recompute = |node: &LoadedNode| {
            let has_changed = node.claims.iter().any(|it| it.has_changed);
            has_changed || node.has_new_content || node.is_contested
        };
        let nodes = self.nodes.0.iter().filter(|(_, node)| must_recompute(node));
        let ids: Vec<NodeId> = nodes.map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let changes = self.current_changes(&ids).await?;
        let linked = changes
            .nodes_with_changed_links()
            .filter_map(|id| self.nodes.0.get(&id));
        self.commit
            .links
            .extend(linked.map(|node| node.row.uid.clone()));
        self.write_current_changes(changes).await
    }
}

impl<R: ReadRows> Transaction<'_, R> {
    /// Compares the stored current rows of these loaded nodes with their claims. The caller must have flushed all
    /// changes of the claims.
    pub(in crate::store) async fn current_changes(
        &mut self,
        ids: &[NodeId],
    ) -> Result<CurrentChanges, RowsError> {
        for id in ids {
            self.load_past_deletions(*id).await?;
        }
        let inputs = self.load_current_inputs(ids).await?;
        let mut changes = CurrentChanges::default();
        let mut relisted = Vec::new();
        for id in ids {
            let Some(node) = self.nodes.0.get(id) else {
                continue;
            };
            let claims = node.clone_claims();
            let row = self.node_row(node, &claims, &inputs);
            changes.add_count(&node.row, -1);
            changes.add_count(&row, 1);
            let open = self.contesting_scopes(*id, &claims, &row);
            if !open.is_empty() {
                changes.contested.extend(open);
            } else if node.is_contested {
                changes.uncontested.push(*id);
            }
            let has_new_interval = node.claims.iter().any(|it| {
                it.has_new_interval
                    && !matches!(it.claim.key.class, ClaimClass::Edges | ClaimClass::Aliases)
            });
            let is_relisted = row.listing != node.row.listing;
            if has_new_interval || is_relisted {
                self.commit.nodes.push(row.uid.clone());
            }
            if is_relisted && !has_new_interval {
                self.commit.relisted.push(row.uid.clone());
            }
            if is_relisted && !node.is_new && !Self::may_have_new_snapshots(node) {
                relisted.push(row.clone());
            }
            changes.texts.replace_changed(&node.row, &row);
            if row != node.row {
                changes.nodes.push(row);
            }
        }
        self.add_edges(ids, &inputs, &mut changes).await?;
        self.add_aliases(ids, &inputs, &mut changes);
        self.relist_aliases(&relisted, &mut changes.texts).await?;
        Ok(changes)
    }

    /// Loads the past intervals of a node if one of its open claims may be stale: the deletion that made the claim
    /// stale can be in a past interval of another claim.
    async fn load_past_deletions(&mut self, id: NodeId) -> Result<(), RowsError> {
        let Some(node) = self.nodes.0.get(&id) else {
            return Ok(());
        };
        let lifecycle = || {
            let claims = node.claims.iter().map(|it| &it.claim);
            claims.filter(|claim| claim.key.class.is_lifecycle())
        };
        if node.is_new || lifecycle().count() < 2 {
            return Ok(());
        }
        let scopes = ScopeScanTimes {
            scopes: &self.scopes,
            words: &self.words,
        };
        let activity = lifecycle().filter_map(|claim| {
            let scan = scopes.last_scan(&claim.key, AsOf::Now).unwrap_or_default();
            Some(claim.open()?.seen.max(scan))
        });
        let last = lifecycle().filter_map(|claim| Some(claim.last()?.last_report()));
        let (Some(activity), Some(last)) = (activity.min(), last.max()) else {
            return Ok(());
        };
        match activity + STALE_AFTER <= last {
            true => self.read_past_intervals(id, activity).await,
            false => Ok(()),
        }
    }

    /// Reads the rows from which the current rows of these nodes are computed.
    async fn load_current_inputs(&mut self, ids: &[NodeId]) -> Result<CurrentInputs, RowsError> {
        let mut keys = BTreeSet::new();
        let (mut with_snapshots, mut with_old_rows) = (Vec::new(), Vec::new());
        for id in ids {
            let Some(node) = self.nodes.0.get(id) else {
                continue;
            };
            for it in &node.claims {
                let last = it.claim.last();
                keys.extend(
                    last.map(|last| self.words.version_key(*id, &it.claim.key, last.state)),
                );
            }
            if Self::may_have_new_snapshots(node) {
                with_snapshots.push(*id);
                with_old_rows.extend((!node.is_new).then_some(*id));
            }
        }
        let mut inputs = CurrentInputs::default();
        for key in keys.extract_if(.., |key| self.node_ids.is_new(key.node)) {
            let new = self.new_versions.get(&key).cloned();
            inputs.versions.extend(new.map(|version| (key, version)));
        }
        let keys: Vec<VersionKey> = keys.into_iter().collect();
        for version in self.rows.versions(&keys, Projection::Header).await? {
            inputs.versions.insert(version.key, version);
        }
        let mut referenced = BTreeSet::new();
        for id in &with_snapshots {
            let Some(node) = self.nodes.0.get(id) else {
                continue;
            };
            for (claim, interval) in node.claims.iter().filter_map(|it| {
                let interval = it.claim.open()?;
                Some((&it.claim, interval))
            }) {
                let key = self.words.version_key(*id, &claim.key, interval.state);
                referenced.extend(snapshot_keys(&inputs, key));
            }
        }
        let referenced: Vec<SnapshotKey> = referenced.into_iter().collect();
        if !referenced.is_empty() {
            let snapshots = self.rows.snapshots(&referenced).await?;
            inputs.snapshots = snapshots.into_iter().collect();
        }
        if !with_old_rows.is_empty() {
            let page = EdgePage {
                after: None,
                limit: usize::MAX,
            };
            for row in self.rows.edges_out(&with_old_rows, &[], &page).await? {
                inputs.edges.entry(row.key.from).or_default().push(row);
            }
            for row in self.rows.aliases(&with_old_rows).await? {
                inputs.aliases.entry(row.key.node).or_default().push(row);
            }
        }
        Ok(inputs)
    }

    /// Whether the current snapshots of a node may have changed.
    pub(super) fn may_have_new_snapshots(node: &LoadedNode) -> bool {
        let may_have = |class| {
            !matches!(
                class,
                ClaimClass::Telemetry | ClaimClass::Health | ClaimClass::Created
            )
        };
        let changed = node
            .claims
            .iter()
            .any(|it| it.has_new_interval && may_have(it.claim.key.class));
        changed || node.has_new_content
    }

    /// The current row of a node, computed from its claims.
    fn node_row(&self, node: &LoadedNode, claims: &[Claim], inputs: &CurrentInputs) -> NodeRow {
        let scopes = ScopeScanTimes {
            scopes: &self.scopes,
            words: &self.words,
        };
        let existence = existence(claims, &scopes, AsOf::Now);
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
            Existence::Unknown => match non_lifecycle_status(claims, AsOf::Now) {
                NonLifecycleStatus::Unclaimed => listing = Listing::None,
                NonLifecycleStatus::Claimed => {}
                NonLifecycleStatus::Ended(time) => {
                    row.ended = Some(time);
                    listing = Listing::Ended;
                }
            },
        }
        row.listing = match row.same_as {
            Some(_) => Listing::None,
            None => listing,
        };
        let contents: Vec<&VersionContent> = HEADER_PRECEDENCE
            .iter()
            .filter_map(|class| {
                let (claim, interval) = winner(claims, *class, AsOf::Now)?;
                let key = self
                    .words
                    .version_key(node.row.id, &claim.key, interval.state);
                inputs.versions.get(&key)?.content.as_ref()
            })
            .collect();
        let word = |of: fn(&VersionContent) -> i64| {
            let mut words = contents.iter().map(|content| of(content));
            words.find(|word| *word != 0).unwrap_or_default()
        };
        row.kind = word(|content| content.kind);
        row.provider = word(|content| content.provider);
        row.account = word(|content| content.account);
        row.region = word(|content| content.region);
        row.name = contents.iter().find_map(|content| content.name.clone());
        row.tags = contents.iter().find_map(|content| content.tags.clone());
        if let Some((first, last)) = node.report_times {
            let stored = Some(row.first_seen).filter(|stored| stored.0 > 0);
            row.first_seen = stored.map_or(first, |stored| stored.min(first));
            row.last_seen = row.last_seen.max(last);
        }
        let last = claims.iter().filter_map(Claim::last);
        let changed = last.map(|it| it.until.map_or(it.since, |(until, _)| until));
        row.changed = changed.fold(row.changed, UnixNanos::max);
        row
    }

    /// The scopes in which a node is contested: it ended or is unobserved, although a claim of the scope is open.
    fn contesting_scopes(
        &self,
        id: NodeId,
        claims: &[Claim],
        row: &NodeRow,
    ) -> Vec<(ScopeKey, NodeId)> {
        if row.ended.is_none() && row.unobserved.is_none() {
            return Vec::new();
        }
        let open = claims.iter().filter(|claim| {
            let key = &claim.key;
            claim.open().is_some() && key.class.is_lifecycle() && !key.scope.is_empty()
        });
        open.map(|claim| {
            let key = &claim.key;
            (self.words.scope_key(key.class, &key.source, &key.scope), id)
        })
        .collect()
    }
}

/// The status of a node by its claims of the classes `Desired`, `Telemetry` and `Health`, which do not affect its
/// existence.
pub(in crate::store) enum NonLifecycleStatus {
    /// There is no such claim: the node is only an end of edges.
    Unclaimed,
    /// Such a claim is open.
    Claimed,
    /// All such claims ended, the last one at this time.
    Ended(UnixNanos),
}

/// The status of a node by the classes that do not affect its existence, as of `at`.
pub(in crate::store) fn non_lifecycle_status(claims: &[Claim], at: AsOf) -> NonLifecycleStatus {
    let of_node = || {
        claims.iter().filter(|claim| {
            matches!(
                claim.key.class,
                ClaimClass::Desired | ClaimClass::Telemetry | ClaimClass::Health
            )
        })
    };
    let is_open = |claim: &Claim| match at {
        AsOf::Now => claim.open().is_some(),
        AsOf::Time(time) => claim.at(time).is_some(),
    };
    if of_node().any(is_open) {
        return NonLifecycleStatus::Claimed;
    }
    let ends = of_node().flat_map(|claim| &claim.intervals);
    let ends = ends.filter_map(|interval| interval.until);
    let ends = ends.map(|(until, _)| until).filter(|until| match at {
        AsOf::Now => true,
        AsOf::Time(time) => *until <= time,
    });
    match ends.max() {
        Some(last) => NonLifecycleStatus::Ended(last),
        None => NonLifecycleStatus::Unclaimed,
    }
}

/// The keys of the snapshots of a version.
fn snapshot_keys(inputs: &CurrentInputs, key: VersionKey) -> impl Iterator<Item = SnapshotKey> {
    let version = inputs.versions.get(&key);
    let edges = version
        .and_then(|it| it.edges)
        .map(|it| (SnapshotKind::Edges, it));
    let aliases = version
        .and_then(|it| it.aliases)
        .map(|it| (SnapshotKind::Aliases, it));
    edges
        .into_iter()
        .chain(aliases)
        .map(move |(kind, hash)| SnapshotKey {
            node: key.node,
            kind,
            hash,
        })
}

/// The encoded snapshot of a version, of edges or of aliases.
pub(super) fn snapshot_bytes(
    inputs: &CurrentInputs,
    key: VersionKey,
    kind: SnapshotKind,
) -> Option<&[u8]> {
    let snapshot = snapshot_keys(inputs, key).find(|snapshot| snapshot.kind == kind)?;
    inputs.snapshots.get(&snapshot).map(Vec::as_slice)
}
