//! The GraphQL types of responses and of filters.

mod edge;
mod node;
mod record;
mod search;
mod service_map;
mod timeline;

pub(super) use edge::{Direction, Edge};
pub(super) use node::{Node, NodeFilter};
pub(super) use record::{Record, RecordFilter, RecordKind};
pub(super) use search::{ResourceType, SearchResult};
pub(super) use service_map::{CallsCursor, ServiceMap};
pub(super) use timeline::TimelineEntry;
