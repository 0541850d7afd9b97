//! One thing under two names: `same_as` aliases.

use hashbrown::HashMap;
use pipeline::component::UnixNanos;
use pipeline::reports::{AliasItem, AliasObservation, Snapshot};
use pipeline::schema::aliases::kind;
use pipeline::uid;

use super::Graph;
use super::edges::{is_newer, state_of};
use super::node::Kept;

/// Which names are claimed by whom.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By the hash of the name, which need not be a node's.
    claims: HashMap<u64, Vec<Claim>>,
    /// By the number of the node that claims them.
    owned: HashMap<u32, Owned>,
}

/// What a node claims.
#[derive(Debug, Default)]
struct Owned {
    /// The hashes of the names.
    names: Vec<u64>,
    /// By the place of a claim of the node, of which state the names are held.
    snapshots: HashMap<u16, Kept>,
}

/// Says that a name is the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) owner: u32,
    /// Of one of a snapshot the place of its claim, else the number of its source.
    pub(super) source: u16,
    pub(super) is_of_set: bool,
    pub(super) valid_from: Option<UnixNanos>,
    pub(super) valid_to: Option<UnixNanos>,
}

impl Claim {
    fn holds(&self, now: UnixNanos) -> bool {
        self.valid_from.is_none_or(|from| from <= now) && self.valid_to.is_none_or(|to| now < to)
    }

    /// Whether it is the same as another, but for the time in which it holds.
    fn replaces(&self, other: &Claim) -> bool {
        let key = |claim: &Claim| (claim.owner, claim.source, claim.is_of_set);
        key(self) == key(other)
    }
}

impl Names {
    pub(super) fn held_bytes(&self) -> usize {
        let claims = self.claims.values().map(Vec::capacity).sum::<usize>();
        let owned = self.owned.values();
        let owned =
            owned.map(|it| it.names.capacity() * size_of::<u64>() + it.snapshots.allocation_size());
        self.claims.allocation_size()
            + claims * size_of::<Claim>()
            + self.owned.allocation_size()
            + owned.sum::<usize>()
    }

    pub(super) fn claim(&mut self, name: &str, claim: Claim) {
        let hash = uid::hash(name);
        let claims = self.claims.entry(hash).or_default();
        claims.retain(|known| !claim.replaces(known));
        claims.push(claim);
        let owned = self.owned.entry(claim.owner).or_default();
        if !owned.names.contains(&hash) {
            owned.names.push(hash);
        }
    }

    pub(super) fn owns_any(&self, owner: u32) -> bool {
        let owned = self.owned.get(&owner);
        owned.is_some_and(|owned| !owned.names.is_empty())
    }

    fn kept(&self, owner: u32, place: u16) -> Option<Kept> {
        self.owned.get(&owner)?.snapshots.get(&place).copied()
    }

    pub(super) fn keep(&mut self, owner: u32, place: u16, kept: Kept) {
        let owned = self.owned.entry(owner).or_default();
        owned.snapshots.insert(place, kept);
    }

    /// Gives up all claims of an owner.
    pub(super) fn forget(&mut self, owner: u32) {
        self.give_up(owner, |_| true);
        self.owned.remove(&owner);
    }

    fn give_up(&mut self, owner: u32, is_over: impl Fn(&Claim) -> bool) {
        let Some(owned) = self.owned.get_mut(&owner) else {
            return;
        };
        let claims = &mut self.claims;
        owned.names.retain(|name| {
            let Some(of_name) = claims.get_mut(name) else {
                return false;
            };
            of_name.retain(|claim| claim.owner != owner || !is_over(claim));
            let stays = of_name.iter().any(|claim| claim.owner == owner);
            if of_name.is_empty() {
                claims.remove(name);
            }
            stays
        });
    }
}

impl Graph {
    /// All aliases that a source reports of a uid in a scope.
    pub(super) fn put_names(&mut self, snapshot: &Snapshot<'_>, items: &[AliasItem<'_>]) {
        let same_as: Vec<&AliasItem<'_>> = items
            .iter()
            .filter(|item| item.kind == kind::SAME_AS)
            .collect();
        let owns = self
            .find(snapshot.uid)
            .is_some_and(|owner| self.names.owned.contains_key(&owner));
        // Most things have no second uid, and need no memory for it.
        if same_as.is_empty() && !owns {
            return;
        }
        let Some(owner) = self.number(snapshot.uid) else {
            return;
        };
        let state = state_of(snapshot);
        let Some(place) = self.place_of(owner, snapshot, state) else {
            return;
        };
        let new = Kept::new(state, snapshot.time);
        let known = self.names.kept(owner, place).unwrap_or_default();
        let claim = self.node(owner).claims.at(usize::from(place));
        if claim.is_none_or(|claim| !is_newer(new, known, claim.open(), claim.last_since())) {
            return;
        }
        self.names
            .give_up(owner, |claim| claim.is_of_set && claim.source == place);
        self.names.keep(owner, place, new);
        for alias in same_as {
            self.claim_name(owner, place, true, alias);
        }
    }

    pub(super) fn see_name(&mut self, observation: &AliasObservation<'_>) {
        if observation.alias.kind != kind::SAME_AS {
            return;
        }
        let source = self.sources.number(observation.source);
        if let Some(owner) = self.number(observation.uid) {
            self.claim_name(owner, source, false, &observation.alias);
        }
    }

    fn claim_name(&mut self, owner: u32, source: u16, is_of_set: bool, alias: &AliasItem<'_>) {
        let claim = Claim {
            owner,
            source,
            is_of_set,
            valid_from: alias.valid_from,
            valid_to: alias.valid_to,
        };
        self.names.claim(alias.value, claim);
    }

    /// Whether a name is its owner's: one of a snapshot while its claim has the state of the snapshot.
    fn is_owned(&self, claim: &Claim, now: UnixNanos) -> bool {
        let kept = || {
            self.names
                .kept(claim.owner, claim.source)
                .unwrap_or_default()
        };
        let owner = || self.node(claim.owner);
        claim.holds(now)
            && (!claim.is_of_set || owner().has_state(claim.source, |_| kept().state()))
    }

    /// The node that this one is another name of, or itself. Where several claim a name, one that
    /// lives has it, and always the same.
    pub(in super::super) fn canonical(&self, id: u32, now: UnixNanos) -> u32 {
        if self.names.claims.is_empty() {
            return id;
        }
        let claims = self.names.claims.get(&uid::hash(self.uid(id)));
        let owners = claims
            .into_iter()
            .flatten()
            .filter(|it| self.is_owned(it, now));
        let owners = owners.map(|claim| claim.owner);
        let best = owners.min_by_key(|owner| (!self.is_alive(*owner), self.uid(*owner)));
        best.unwrap_or(id)
    }

    /// A node, and all that are other names of it.
    pub(in super::super) fn names_of(&self, id: u32, now: UnixNanos) -> Vec<u32> {
        let owned = self.names.owned.get(&id);
        let names = owned.into_iter().flat_map(|owned| &owned.names);
        let nodes = names.filter_map(|name| self.find_hash(*name));
        let own = nodes.filter(|name| *name != id && self.canonical(*name, now) == id);
        [id].into_iter().chain(own).collect()
    }
}
