//! The types of responses.

mod edge;
mod found;
mod node;
mod record;
mod service_map;
mod timeline;

pub(super) use edge::{Direction, Edge};
pub(super) use found::{ResourceType, SearchResult};
pub(super) use node::{Node, NodeFilter};
pub(super) use record::{Record, RecordFilter, RecordKind};
pub(super) use service_map::{CallsCursor, ServiceMap};
pub(super) use timeline::TimelineEntry;
