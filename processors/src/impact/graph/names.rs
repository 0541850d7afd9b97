//! One thing under two names: `same_as` aliases.

use hashbrown::HashMap;
use pipeline::component::UnixNanos;
use pipeline::facts::{Alias, Fact, Told, group};
use pipeline::schema::aliases::kind;
use pipeline::uid;

use super::Graph;

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
    /// By source, when it told its newest set of aliases, and the hash of that.
    sets: HashMap<u16, (UnixNanos, u64)>,
}

/// Says that a name is the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) owner: u32,
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
            owned.map(|it| it.names.capacity() * size_of::<u64>() + it.sets.allocation_size());
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

    fn newest_set(&self, owner: u32, source: u16) -> Option<(UnixNanos, u64)> {
        self.owned.get(&owner)?.sets.get(&source).copied()
    }

    pub(super) fn tell_set(&mut self, owner: u32, source: u16, set: (UnixNanos, u64)) {
        let owned = self.owned.entry(owner).or_default();
        owned.sets.insert(source, set);
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
    pub(super) fn tell_names(&mut self, told: &Told<'_>) {
        let mut members = told.aliases.iter().filter(|it| it.set != 0).peekable();
        for set in told.facts.iter().filter(|it| it.group == group::ALIASES) {
            let is_of = |it: &&Alias<'_>| {
                it.set == set.hash && it.uid == set.uid && it.source == set.source
            };
            let mut of_set = Vec::new();
            while let Some(alias) = members.next_if(is_of) {
                of_set.extend(Some(alias).filter(|alias| alias.kind == kind::SAME_AS));
            }
            self.tell_set_of_names(set, &of_set);
        }
        let seen = told.aliases.iter().filter(|it| it.set == 0);
        for alias in seen.filter(|alias| alias.kind == kind::SAME_AS) {
            if let Some(owner) = self.number(&alias.uid) {
                self.claim(owner, alias);
            }
        }
    }

    fn tell_set_of_names(&mut self, fact: &Fact<'_>, members: &[&Alias<'_>]) {
        let source = self.sources.number(&fact.source);
        let owner = self.find(&fact.uid);
        let known = owner.and_then(|owner| self.names.newest_set(owner, source));
        let new = (fact.last_seen, fact.hash);
        // Most things have no second uid, and need no memory for it.
        if known.is_none() && members.is_empty() || known.is_some_and(|known| known > new) {
            return;
        }
        let Some(owner) = self.number(&fact.uid) else {
            return;
        };
        let is_told = |claim: &Claim| claim.is_of_set && claim.source == source;
        self.names.give_up(owner, is_told);
        self.names.tell_set(owner, source, new);
        for alias in members {
            self.claim(owner, alias);
        }
    }

    fn claim(&mut self, owner: u32, alias: &Alias<'_>) {
        let claim = Claim {
            owner,
            source: self.sources.number(&alias.source),
            is_of_set: alias.set != 0,
            valid_from: alias.valid_from,
            valid_to: alias.valid_to,
        };
        self.names.claim(&alias.value, claim);
    }

    /// The node that this one is another name of, or itself. Where several claim a name, one that
    /// lives has it, and always the same.
    pub(in super::super) fn canonical(&self, id: u32, now: UnixNanos) -> u32 {
        if self.names.claims.is_empty() {
            return id;
        }
        let claims = self.names.claims.get(&uid::hash(self.uid(id)));
        let owners = claims.into_iter().flatten().filter(|it| it.holds(now));
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
