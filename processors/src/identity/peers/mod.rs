//! Finds who the other sides of client and producer spans are: the column `peer_uid`.

use arrow_array::types::{Int32Type, TimestampNanosecondType};
use arrow_array::{Array, StringViewArray};
use hashbrown::HashMap;
use pipeline::Batch;
use pipeline::alias_index::{AliasIndex, Holds, View};
use pipeline::component::{Host, UnixNanos};
use pipeline::schema::{opening, traces};
use pipeline::uid;

use super::distinct::{Distinct, spread};
use super::found::Node;
use super::names::Names;

mod answer;
mod by_itself;
mod named;
mod reason;
mod target;
mod waiting;

pub(super) use waiting::Joined;

use answer::Answer;
use named::Named;
use reason::{Reason, Unresolved};
use target::Target;
use waiting::Waiting;

/// `Span.kind` on the wire.
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;

#[derive(Debug)]
pub(super) struct Peers {
    unresolved: Unresolved,
    /// None where nobody wants to know what endpoints are.
    waiting: Option<Waiting>,
}

/// Who was found in a batch.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// The uid of each, the first place for nobody.
    uids: Vec<Option<String>>,
    /// The place of each row's peer.
    rows: Vec<u32>,
    /// Those that spans name by themselves, to be told of, and when that was.
    pub(super) nodes: Vec<(Node<'a>, UnixNanos)>,
}

/// What was found for one resource and what its spans say.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// The place of its uid.
    Peer(u32),
    Unresolved(Reason),
}

const NOBODY: Known = Known::Peer(0);

impl Peers {
    pub(super) fn new(host: &Host, wants_aliases: bool) -> Peers {
        Peers {
            unresolved: Unresolved::new(host),
            waiting: wants_aliases.then(Waiting::default),
        }
    }

    /// Finds the peers of spans, each as of when it started. `instances` are those that the
    /// resources of `distinct` are on.
    pub(super) fn find<'a>(
        &mut self,
        batch: &'a Batch,
        distinct: &Distinct,
        instances: &[Option<String>],
        view: &View<'_>,
        now: UnixNanos,
    ) -> Found<'a> {
        let kinds = batch.numbers::<Int32Type>(traces::KIND).values();
        let times = batch.numbers::<TimestampNanosecondType>(opening::TIME);
        let attributes = batch.bytes(traces::ATTRIBUTES);
        let set = batch.text(traces::PEER_UID);
        let mut found = Found::new(batch.num_rows());
        let mut known: HashMap<(usize, Named<'a>), (Known, Holds)> = HashMap::new();
        for row in 0..batch.num_rows() {
            if !matches!(kinds[row], CLIENT | PRODUCER) || set.is_valid(row) {
                continue;
            }
            let named = Named::of(attributes.value(row));
            if named.is_nobody() {
                continue;
            }
            let time = match times.is_valid(row) {
                true => UnixNanos(u64::try_from(times.value(row)).unwrap_or(0)),
                false => now,
            };
            let key = (distinct.place(row), named);
            let before = known.get(&key).filter(|(_, holds)| holds.contains(time));
            let peer = match before {
                Some((peer, _)) => *peer,
                None => {
                    let instance = instances[key.0].as_deref();
                    let mut names = Names::new(view, Holds::at(time));
                    let peer = match by_itself::of(&named) {
                        Some(node) => found.node(node, time.min(now)),
                        None => self.answer(&named, instance, &mut names, &mut found),
                    };
                    known.insert(key, (peer, names.holds));
                    peer
                }
            };
            match peer {
                Known::Peer(place) => found.rows[row] = place,
                Known::Unresolved(reason) => self.unresolved.add(reason),
            }
        }
        found
    }

    fn answer(
        &mut self,
        named: &Named<'_>,
        instance: Option<&str>,
        names: &mut Names<'_>,
        found: &mut Found<'_>,
    ) -> Known {
        match answer::of(named, instance, names) {
            Answer::Nobody => NOBODY,
            Answer::Found(uid) => found.peer(uid.into_owned()),
            Answer::Unresolved(reason) => {
                if let (Some(waiting), Some(host)) = (&mut self.waiting, named.host)
                    && reason != Reason::Ambiguous
                {
                    let endpoint = uid::external(host, named.port);
                    waiting.add(endpoint, &Target::of(host), instance);
                }
                Known::Unresolved(reason)
            }
        }
    }

    /// Whether endpoints that could not be resolved may be resolvable by now.
    pub(super) fn is_due(&self, index: &AliasIndex) -> bool {
        let waiting = self.waiting.as_ref();
        waiting.is_some_and(|waiting| waiting.is_due(index.version()))
    }

    /// Waits until the index is another one than when all were looked up; never, where some are due
    /// already.
    pub(super) async fn becomes_due(&self, index: &AliasIndex) {
        match self.waiting.as_ref().and_then(Waiting::asked_at) {
            Some(version) => index.changed_since(version).await,
            None => std::future::pending().await,
        }
    }

    /// Endpoints that could not be resolved, of which is known now what they are.
    pub(super) fn joined(&mut self, index: &AliasIndex) -> Vec<Joined> {
        let waiting = self.waiting.as_mut();
        waiting.map_or_else(Vec::new, |waiting| waiting.joined(index))
    }

    #[cfg(test)]
    pub(super) fn unresolved(&self) -> [u64; 4] {
        self.unresolved.counts()
    }

    /// All are due: the index has changed, or something of what was joined was not delivered.
    pub(super) fn join_again(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.ask_again();
        }
    }
}

impl<'a> Found<'a> {
    fn new(rows: usize) -> Found<'a> {
        Found {
            uids: vec![None],
            rows: vec![0; rows],
            nodes: Vec::new(),
        }
    }

    fn node(&mut self, node: Node<'a>, time: UnixNanos) -> Known {
        let peer = self.peer(node.uid.clone().into_owned());
        self.nodes.push((node, time));
        peer
    }

    fn peer(&mut self, uid: String) -> Known {
        self.uids.push(Some(uid));
        let place = u32::try_from(self.uids.len() - 1).expect("a batch has fewer rows");
        Known::Peer(place)
    }

    /// The column `peer_uid`; none where nobody was found.
    pub(super) fn column(&self, set: &StringViewArray) -> Option<StringViewArray> {
        (self.uids.len() > 1).then(|| spread(&self.uids, &self.rows, set))
    }
}
