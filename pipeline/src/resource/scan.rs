//! Rows of `resources` that a scan tells.

use super::{Alias, Relation, Resource};
use crate::component::UnixNanos;
use crate::rows::{Cell, Rows};
use crate::schema::resources;
use crate::uid;

/// What all rows of one scan of a scope share.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    pub source: &'a str,
    /// [`nodes::group::ACTUAL`] or [`nodes::group::DESIRED`].
    pub group: &'a str,
    pub scope: &'a str,
    /// None where no scan makes the rows: a refresh of single uids.
    pub id: Option<&'a str>,
    /// When it began: the time of all its rows.
    pub began: UnixNanos,
}

impl Scan<'_> {
    /// The scan saw the resource, in this [`state`](Resource::state). `change` is one of
    /// [`resources::change`], or none where nothing is new.
    pub fn observed(
        &self,
        rows: &mut Rows,
        resource: &Resource,
        state: u64,
        change: Option<&'static str>,
    ) {
        let relations: Vec<Cell<'_>> =
            (resource.relations.iter().flat_map(Relation::cells)).collect();
        let aliases: Vec<Cell<'_>> = resource.aliases.iter().flat_map(Alias::cells).collect();
        let cells = [
            (resources::OP, Cell::Text(resources::op::OBSERVED)),
            (resources::GROUP, Cell::Text(self.group)),
            (resources::SCOPE, Cell::Text(self.scope)),
            (resources::SCAN_ID, self.id.into()),
            (resources::STATE, Cell::UInt(state)),
            (resources::CHANGE, change.into()),
            (resources::KIND, Cell::Text(&resource.kind)),
            (resources::NAME, resource.name.as_deref().into()),
            (resources::PROVIDER, Cell::Text(&resource.provider)),
            (resources::ACCOUNT, Cell::Text(&resource.account)),
            (resources::REGION, resource.region.as_deref().into()),
            (resources::RELATIONS, Cell::Items(&relations)),
            (resources::ALIASES, Cell::Items(&aliases)),
            (resources::TAGS, Cell::Bytes(&resource.tags)),
            (
                resources::CONFIGURATION,
                Cell::Bytes(&resource.configuration),
            ),
        ];
        rows.push(Some(self.began), Some(&resource.uid), self.source, &cells);
    }

    /// What was there before is not there any more.
    pub fn deleted(&self, rows: &mut Rows, uid: &str, kind: &str) {
        let cells = [
            (resources::OP, Cell::Text(resources::op::DELETED)),
            (resources::GROUP, Cell::Text(self.group)),
            (resources::SCOPE, Cell::Text(self.scope)),
            (resources::SCAN_ID, self.id.into()),
            (resources::CHANGE, Cell::Text(resources::change::DELETED)),
            (resources::KIND, Cell::Text(kind)),
        ];
        rows.push(Some(self.began), Some(uid), self.source, &cells);
    }

    /// The source no longer looks for the uid in this scope: whether it exists is unknown.
    pub fn released(&self, rows: &mut Rows, uid: &str, kind: &str) {
        let cells = [
            (resources::OP, Cell::Text(resources::op::RELEASED)),
            (resources::GROUP, Cell::Text(self.group)),
            (resources::SCOPE, Cell::Text(self.scope)),
            (resources::SCAN_ID, self.id.into()),
            (resources::KIND, Cell::Text(kind)),
        ];
        rows.push(Some(self.began), Some(uid), self.source, &cells);
    }

    /// The scan has seen all that is in the scope: these [`uid::hash`]es, each in this state, 0
    /// where it is not known.
    pub fn complete(&self, rows: &mut Rows, members: Vec<(u64, u64)>) {
        self.complete_with(rows, members, resources::op::DELETED);
    }

    /// The scan has seen these, but not all that may be there: a uid that is missing is `released`.
    pub fn complete_in_part(&self, rows: &mut Rows, members: Vec<(u64, u64)>) {
        self.complete_with(rows, members, resources::op::RELEASED);
    }

    fn complete_with(&self, rows: &mut Rows, mut members: Vec<(u64, u64)>, miss: &'static str) {
        members.sort_unstable();
        let (members, states): (Vec<u64>, Vec<u64>) = members.into_iter().unzip();
        let cells = [
            (resources::OP, Cell::Text(resources::op::SCOPE_COMPLETE)),
            (resources::GROUP, Cell::Text(self.group)),
            (resources::SCOPE, Cell::Text(self.scope)),
            (resources::SCAN_ID, self.id.into()),
            (resources::MISS, Cell::Text(miss)),
            (resources::MEMBERS, Cell::UInts(&members)),
            (resources::MEMBER_STATES, Cell::UInts(&states)),
        ];
        rows.push(Some(self.began), None, self.source, &cells);
    }

    /// A whole scan at once: each resource, then the completion.
    pub fn whole<'r>(&self, rows: &mut Rows, all: impl IntoIterator<Item = &'r Resource>) {
        let mut members = Vec::new();
        for resource in all {
            let state = resource.state();
            self.observed(rows, resource, state, None);
            members.push((uid::hash(&resource.uid), state));
        }
        self.complete(rows, members);
    }
}

impl Relation {
    fn cells(&self) -> [Cell<'_>; 4] {
        let properties = match self.properties.as_slice() {
            [] => Cell::Null,
            some => Cell::Bytes(some),
        };
        let confidence = Cell::Float(self.confidence);
        [
            Cell::Text(&self.kind),
            Cell::Text(&self.uid),
            confidence,
            properties,
        ]
    }
}

impl Alias {
    fn cells(&self) -> [Cell<'_>; 3] {
        let scope = self.scope.as_deref().into();
        [Cell::Text(&self.kind), Cell::Text(&self.value), scope]
    }
}
