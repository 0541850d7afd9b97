//! Applies `same_as` aliases, by which a uid is another name of a node.

use hashbrown::HashMap;
use pipeline::component::UnixNanos;
use pipeline::reports::{AliasItem, AliasObservation, SnapshotReport};
use pipeline::schema::aliases::kind;
use pipeline::uid;

use super::ImpactGraph;
use super::edges::{replaces_held, state_of};
use super::node::SnapshotState;

/// The names that nodes claim.
#[derive(Debug, Default)]
pub(super) struct NameClaims {
    /// The claims by the hash of the name. The graph need not have a node whose uid is the name.
    claims: HashMap<u64, Vec<NameClaim>>,
    /// The names of each node, by the number of the node.
    owned: HashMap<u32, OwnedNames>,
}

/// The names that one node claims.
#[derive(Debug, Default)]
struct OwnedNames {
    /// The hashes of the names.
    names: Vec<u64>,
    /// The state whose names are held, for each claim that reported names, by the index of the claim in the node.
    snapshots: HashMap<u16, SnapshotState>,
}

/// A report that a name belongs to a node, its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameClaim {
    pub(super) owner: u32,
    /// For a snapshot, the index of the claim that reported it; for an observation, the number of its source.
    pub(super) source: u16,
    pub(super) is_in_snapshot: bool,
    pub(super) valid_from: Option<UnixNanos>,
    pub(super) valid_to: Option<UnixNanos>,
}

impl NameClaim {
    /// Whether the time is in the validity of the claim.
    fn is_valid(&self, now: UnixNanos) -> bool {
        self.valid_from.is_none_or(|from| from <= now) && self.valid_to.is_none_or(|to| now < to)
    }

    /// Whether the claim replaces another claim of the same name. It does if both have the same owner and source.
    fn replaces(&self, other: &NameClaim) -> bool {
        let key = |claim: &NameClaim| (claim.owner, claim.source, claim.is_in_snapshot);
        key(self) == key(other)
    }
}

impl NameClaims {
    /// The number of allocated bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let claims = self.claims.values().map(Vec::capacity).sum::<usize>();
        let owned = self.owned.values().map(|owned| {
            owned.names.capacity() * size_of::<u64>() + owned.snapshots.allocation_size()
        });
        self.claims.allocation_size()
            + claims * size_of::<NameClaim>()
            + self.owned.allocation_size()
            + owned.sum::<usize>()
    }

    /// Adds a claim of a name. It replaces the claim of the same owner and source.
    pub(super) fn claim(&mut self, name: &str, claim: NameClaim) {
        let hash = uid::hash(name);
        let claims = self.claims.entry(hash).or_default();
        claims.retain(|held| !claim.replaces(held));
        claims.push(claim);
        let owned = self.owned.entry(claim.owner).or_default();
        if !owned.names.contains(&hash) {
            owned.names.push(hash);
        }
    }

    /// Whether a node claims any name.
    pub(super) fn owns_any(&self, owner: u32) -> bool {
        let owned = self.owned.get(&owner);
        owned.is_some_and(|owned| !owned.names.is_empty())
    }

    /// The state whose names are held for the claim at `index` of the node `owner`.
    fn snapshot_state(&self, owner: u32, index: u16) -> Option<SnapshotState> {
        self.owned.get(&owner)?.snapshots.get(&index).copied()
    }

    /// Sets the state whose names are held for the claim at `index` of the node `owner`.
    pub(super) fn set_snapshot_state(&mut self, owner: u32, index: u16, state: SnapshotState) {
        let owned = self.owned.entry(owner).or_default();
        owned.snapshots.insert(index, state);
    }

    /// Removes all claims of an owner.
    pub(super) fn remove_owner(&mut self, owner: u32) {
        self.remove_claims(owner, |_| true);
        self.owned.remove(&owner);
    }

    /// Removes the claims of an owner for which `is_removed` returns true.
    fn remove_claims(&mut self, owner: u32, is_removed: impl Fn(&NameClaim) -> bool) {
        let Some(owned) = self.owned.get_mut(&owner) else {
            return;
        };
        let claims = &mut self.claims;
        owned.names.retain(|name| {
            let Some(of_name) = claims.get_mut(name) else {
                return false;
            };
            of_name.retain(|claim| claim.owner != owner || !is_removed(claim));
            let stays = of_name.iter().any(|claim| claim.owner == owner);
            if of_name.is_empty() {
                claims.remove(name);
            }
            stays
        });
    }
}

impl ImpactGraph {
    /// Applies a snapshot: all aliases that a source reports for a uid in a scope.
    pub(super) fn put_name_snapshot(
        &mut self,
        snapshot: &SnapshotReport<'_>,
        items: &[AliasItem<'_>],
    ) {
        let same_as: Vec<&AliasItem<'_>> = items
            .iter()
            .filter(|item| item.kind == kind::SAME_AS)
            .collect();
        let owns = self
            .find(snapshot.uid)
            .is_some_and(|owner| self.names.owned.contains_key(&owner));
        // A node without another name, as most are, must not take memory here.
        if same_as.is_empty() && !owns {
            return;
        }
        let Some(owner) = self.find_or_insert(snapshot.uid) else {
            return;
        };
        let state = state_of(snapshot);
        let Some(index) = self.claim_index(owner, snapshot, state) else {
            return;
        };
        let new = SnapshotState::new(state, snapshot.time);
        let held = self.names.snapshot_state(owner, index).unwrap_or_default();
        let claim = self.node(owner).claims.at(usize::from(index));
        let is_replaced =
            claim.is_some_and(|claim| replaces_held(new, held, claim.open(), claim.last_since()));
        if !is_replaced {
            return;
        }
        self.names
            .remove_claims(owner, |claim| claim.is_in_snapshot && claim.source == index);
        self.names.set_snapshot_state(owner, index, new);
        for alias in same_as {
            self.claim_name(owner, index, true, alias);
        }
    }

    /// Adds an observed alias if it is a `same_as`.
    pub(super) fn add_name_observation(&mut self, observation: &AliasObservation<'_>) {
        if observation.alias.kind != kind::SAME_AS {
            return;
        }
        let source = self.sources.intern(observation.source);
        if let Some(owner) = self.find_or_insert(observation.uid) {
            self.claim_name(owner, source, false, &observation.alias);
        }
    }

    /// Adds a claim that the alias is a name of its owner.
    fn claim_name(&mut self, owner: u32, source: u16, is_in_snapshot: bool, alias: &AliasItem<'_>) {
        let claim = NameClaim {
            owner,
            source,
            is_in_snapshot,
            valid_from: alias.valid_from,
            valid_to: alias.valid_to,
        };
        self.names.claim(alias.value, claim);
    }

    /// Whether a claim of a name is current. If a snapshot reported the name, the claim is current only while the
    /// claim that reported the snapshot has the state of the snapshot.
    fn is_current_name(&self, claim: &NameClaim, now: UnixNanos) -> bool {
        let held = || {
            self.names
                .snapshot_state(claim.owner, claim.source)
                .unwrap_or_default()
        };
        let owner = || self.node(claim.owner);
        claim.is_valid(now)
            && (!claim.is_in_snapshot || owner().has_state(claim.source, |_| held().state()))
    }

    /// The node of which this node is another name, or the node itself. If several nodes claim the name, those that
    /// have not ended win over the ended ones, and of several such nodes the first in the order of uids wins.
    pub(in crate::impact) fn canonical(&self, id: u32, now: UnixNanos) -> u32 {
        if self.names.claims.is_empty() {
            return id;
        }
        let claims = self.names.claims.get(&uid::hash(self.uid(id)));
        let owners = claims
            .into_iter()
            .flatten()
            .filter(|claim| self.is_current_name(claim, now));
        let owners = owners.map(|claim| claim.owner);
        let best = owners.min_by_key(|owner| (!self.is_alive(*owner), self.uid(*owner)));
        best.unwrap_or(id)
    }

    /// The node and all nodes that are other names of it.
    pub(in crate::impact) fn names_of(&self, id: u32, now: UnixNanos) -> Vec<u32> {
        let owned = self.names.owned.get(&id);
        let names = owned.into_iter().flat_map(|owned| &owned.names);
        let nodes = names.filter_map(|name| self.find_hash(*name));
        let other_names = nodes.filter(|name| *name != id && self.canonical(*name, now) == id);
        [id].into_iter().chain(other_names).collect()
    }
}
