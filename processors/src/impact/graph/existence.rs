//! What there is: facts of nodes, and scans that no longer see what they saw.

use hashbrown::{HashMap, HashSet};
use pipeline::component::UnixNanos;
use pipeline::facts::{Completion, Fact, group};
use pipeline::uid;

use super::Graph;
use super::node::{Existence, Life};

/// What is scanned as one, by source and scope.
#[derive(Debug, Default)]
pub(super) struct Scopes(HashMap<u16, HashMap<String, Scope>>);

/// Whom the scans of a scope see.
#[derive(Debug, Default)]
struct Scope {
    /// When the last completed scan began.
    began: UnixNanos,
    /// The hashes of the uids that it saw, ascending.
    members: Box<[u64]>,
    /// Those of what else was ever told of the scope and is still held: each scan that is completed
    /// ends it again.
    others: HashSet<u64>,
}

impl Scope {
    fn saw(&self, uid: u64) -> bool {
        self.members.binary_search(&uid).is_ok()
    }
}

impl Scopes {
    fn of(&mut self, source: u16, scope: &str) -> &mut Scope {
        let of_source = self.0.entry(source).or_default();
        of_source.entry_ref(scope).or_default()
    }

    pub(super) fn held_bytes(&self) -> usize {
        let scopes = self.0.values().flat_map(HashMap::values);
        let bytes = |scope: &Scope| size_of_val(&*scope.members) + scope.others.allocation_size();
        scopes.map(bytes).sum()
    }

    pub(super) fn restore(&mut self, source: u16, scope: &str, mut members: Vec<u64>) {
        members.sort_unstable();
        // Whatever scan comes next is later.
        self.of(source, scope).members = members.into();
    }

    /// A scan tells of a uid. When the last completed one began, if it did not see it.
    fn tell(&mut self, source: u16, scope: &str, uid: &str) -> Option<UnixNanos> {
        let (scope, uid) = (self.of(source, scope), uid::hash(uid));
        if scope.saw(uid) {
            return None;
        }
        scope.others.insert(uid);
        Some(scope.began)
    }
}

impl Graph {
    pub(super) fn tell_fact(&mut self, fact: &Fact<'_>) {
        let Some(id) = self.number(&fact.uid) else {
            return;
        };
        if let Some(kind) = &fact.content.kind {
            self.call(id, kind, &fact.group);
        }
        if fact.group != group::LIFECYCLE {
            self.node_mut(id).life.told(fact.last_seen);
            return;
        }
        let source = self.sources.number(&fact.source);
        let state = match fact.is_tombstone() {
            true => Existence::Ended,
            false => Existence::Exists,
        };
        self.say(id, fact.last_seen, source, state);
        if state == Existence::Ended || fact.scope.is_empty() {
            return;
        }
        // What a scan tells may have been overtaken by the next one.
        if let Some(began) = self.scopes.tell(source, &fact.scope, &fact.uid) {
            self.say(id, began, source, Existence::Ended);
        }
    }

    /// Of several facts that say the kind, what is there counts before what should be.
    pub(super) fn call(&mut self, id: u32, kind: &str, group: &str) {
        let said = match group {
            group::ACTUAL => 4,
            group::LIFECYCLE => 3,
            group::DESIRED => 2,
            group::TELEMETRY => 1,
            _ => return,
        };
        let kind = self.kinds.number(kind);
        let node = self.node_mut(id);
        if said >= node.said {
            node.kind = kind;
            node.said = said;
        }
    }

    /// The last word on whether it exists wins; of one time the greater source's, then that it does.
    pub(super) fn say(&mut self, id: u32, time: UnixNanos, source: u16, state: Existence) {
        let known = self.node(id).life;
        let rank = |time, source, state| (time, self.sources.word(source), state);
        let wins = known.state == Existence::Unknown
            || rank(time, source, state) > rank(known.time, known.source, known.state);
        if wins {
            self.node_mut(id).life = Life {
                time,
                source,
                state,
            };
        }
    }

    /// A scan of a scope is complete: what it saw is there, and what an earlier one saw and it did
    /// not has ended.
    pub(super) fn complete(&mut self, completion: &Completion) {
        if completion.group != group::ACTUAL {
            return;
        }
        let (began, source) = (completion.began, self.sources.number(&completion.source));
        for (uid, state) in completion.members.iter() {
            self.saw(uid, state, began, source);
        }
        let mut scope = std::mem::take(self.scopes.of(source, &completion.scope));
        let members = completion.members.iter().map(|(uid, _)| uid);
        match scope.began > began {
            // It is told late: a later one is known.
            true => scope.others.extend(members),
            false => {
                let before = std::mem::replace(&mut scope.members, members.collect());
                scope.others.extend(before);
                scope.began = began;
            }
        }
        let mut others = std::mem::take(&mut scope.others);
        others.retain(|uid| {
            let id = self.find_hash(*uid).filter(|_| !scope.saw(*uid));
            if let Some(id) = id {
                self.say(id, scope.began, source, Existence::Ended);
            }
            id.is_some()
        });
        others.shrink_to_fit();
        scope.others = others;
        *self.scopes.of(source, &completion.scope) = scope;
    }

    /// A scan saw the uid with this hash, in this state.
    fn saw(&mut self, uid: u64, state: u64, began: UnixNanos, source: u16) {
        let Some(id) = self.find_hash(uid) else {
            return;
        };
        self.say(id, began, source, Existence::Exists);
        // It vouches for the edges that were told of the same state.
        let set = self.node_mut(id).set_of(source);
        if let Some(set) = set.filter(|set| state != 0 && set.hash == state.max(2)) {
            set.time = set.time.max(began);
        }
    }
}
