//! Builds the rows of `resources` of a scan.

use super::{Resource, ResourceAlias, ResourceRelation};
use crate::rows::{Cell, Rows};
use crate::schema::resources;
use crate::uid;
use crate::unix_nanos::UnixNanos;

/// The values that all rows of one scan of a scope share.
#[derive(Clone, Copy, Debug)]
pub struct ScanContext<'a> {
    pub source: &'a str,
    /// [`nodes::group::ACTUAL`] or [`nodes::group::DESIRED`].
    pub group: &'a str,
    pub scope: &'a str,
    /// The id of the scan; `None` for a refresh of single uids, which is no scan.
    pub id: Option<&'a str>,
    /// The start of the scan. It is the time of all its rows.
    pub began: UnixNanos,
}

impl ScanContext<'_> {
    /// Adds a row: the scan saw the resource, in this [`state`](Resource::state). `change` is one of
    /// [`resources::change`], or `None` if the resource has not changed.
    pub fn push_observed(
        &self,
        rows: &mut Rows,
        resource: &Resource,
        state: u64,
        change: Option<&'static str>,
    ) {
        let relations: Vec<Cell<'_>> =
            (resource.relations.iter().flat_map(ResourceRelation::cells)).collect();
        let aliases: Vec<Cell<'_>> = resource
            .aliases
            .iter()
            .flat_map(ResourceAlias::cells)
            .collect();
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

    /// Adds a row: an earlier scan saw the resource, and this scan did not.
    pub fn push_deleted(&self, rows: &mut Rows, uid: &str, kind: &str) {
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

    /// Adds a row: the source no longer scans for the uid in this scope, so it is unknown whether the uid exists.
    pub fn push_released(&self, rows: &mut Rows, uid: &str, kind: &str) {
        let cells = [
            (resources::OP, Cell::Text(resources::op::RELEASED)),
            (resources::GROUP, Cell::Text(self.group)),
            (resources::SCOPE, Cell::Text(self.scope)),
            (resources::SCAN_ID, self.id.into()),
            (resources::KIND, Cell::Text(kind)),
        ];
        rows.push(Some(self.began), Some(uid), self.source, &cells);
    }

    /// Adds the completion of a scan that saw the whole scope. `members` are the [`uid::hash`]es of the uids that the
    /// scan saw, in any order, each with its state, 0 if the state is unknown. All other uids of the scope are
    /// `deleted`.
    pub fn push_completion(&self, rows: &mut Rows, members: Vec<(u64, u64)>) {
        self.push_completion_with(rows, members, resources::op::DELETED);
    }

    /// Adds the completion of a scan that saw only a part of the scope. All uids that the scan did not see are
    /// `released`.
    pub fn push_partial_completion(&self, rows: &mut Rows, members: Vec<(u64, u64)>) {
        self.push_completion_with(rows, members, resources::op::RELEASED);
    }

    fn push_completion_with(
        &self,
        rows: &mut Rows,
        mut members: Vec<(u64, u64)>,
        miss: &'static str,
    ) {
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

    /// Adds all rows of a scan: one for each resource, then the completion.
    pub fn push_whole_scan<'r>(
        &self,
        rows: &mut Rows,
        resources: impl IntoIterator<Item = &'r Resource>,
    ) {
        let mut members = Vec::new();
        for resource in resources {
            let state = resource.state();
            self.push_observed(rows, resource, state, None);
            members.push((uid::hash(&resource.uid), state));
        }
        self.push_completion(rows, members);
    }
}

impl ResourceRelation {
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

impl ResourceAlias {
    fn cells(&self) -> [Cell<'_>; 3] {
        let scope = self.scope.as_deref().into();
        [Cell::Text(&self.kind), Cell::Text(&self.value), scope]
    }
}
