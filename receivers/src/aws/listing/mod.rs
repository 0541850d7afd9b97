//! Lists the resources of a kind: the trait that each kind implements, and the pages that it writes.
//!
//! ```text
//!  ResourceKind::list ─▶ items ─▶ PageWriter ─ draft ─▶ tag filter ─▶ PageSink (a scan or a refresh)
//! ```

mod draft;
mod kind;
mod kind_info;
mod list_target;
mod page_writer;

pub(super) use draft::ResourceDraft;
pub(super) use kind::{ResourceKind, kind_of_uid};
pub(super) use kind_info::{KindInfo, ScanPhase};
pub(super) use list_target::ListTarget;
pub(super) use page_writer::{
    CONCURRENT_CALLS, DetailResults, ListedResource, PageSink, PageWriter, without_details,
};
