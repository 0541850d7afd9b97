//! What a list call lists: all resources of a kind, or one.

use serde_json::Value as Json;

use crate::aws::api::id_of;

/// The resource with this uid, or `None` for all resources of the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::aws) struct ListTarget<'a>(pub(in crate::aws) Option<&'a str>);

impl ListTarget<'_> {
    /// Whether all resources are listed.
    pub(in crate::aws) fn is_all(self) -> bool {
        self.0.is_none()
    }

    /// Whether the target includes the resource with this uid or id.
    pub(in crate::aws) fn includes(self, uid_or_id: &Json) -> bool {
        self.is_all()
            || [self.uid(), self.id()]
                .iter()
                .flatten()
                .any(|target| uid_or_id == target.as_str())
    }

    /// The target's uid; `None` for all resources.
    pub(in crate::aws) fn uid(self) -> Option<String> {
        self.0.map(str::to_owned)
    }

    /// The target's id: the part of the uid after its last slash or colon.
    pub(in crate::aws) fn id(self) -> Option<String> {
        self.0.map(id_of).map(str::to_owned)
    }

    /// The part of the uid after this mark, for ids that may contain slashes or colons.
    pub(in crate::aws) fn id_after(self, mark: &str) -> Option<String> {
        let (_, id) = self.0?.split_once(mark)?;
        Some(id.to_owned())
    }

    /// The uid as a list for a request.
    pub(in crate::aws) fn uids(self) -> Option<Vec<String>> {
        self.uid().map(|uid| vec![uid])
    }

    /// The id as a list for a request.
    pub(in crate::aws) fn ids(self) -> Option<Vec<String>> {
        self.id().map(|id| vec![id])
    }

    /// The page size, for operations that accept either ids or a page size.
    pub(in crate::aws) fn page_size(self, items: i32) -> Option<i32> {
        self.is_all().then_some(items)
    }
}
