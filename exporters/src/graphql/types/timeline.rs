//! What happened to a node.

use async_graphql::{Json, Object};
use pipeline::graph_store;
use serde_json::{Map as JsonMap, Value};

use super::super::time::DateTime;

/// One thing that happened.
pub(in super::super) struct TimelineEntry(pub(in super::super) graph_store::TimelineEntry);

#[Object]
impl TimelineEntry {
    async fn time(&self) -> DateTime {
        DateTime(self.0.time)
    }

    /// `node_appeared`, `node_changed`, `node_ended`, `edges_changed`, or `change`: what somebody did.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    async fn source(&self) -> &str {
        &self.0.source
    }

    /// One line for people.
    async fn summary(&self) -> &str {
        &self.0.summary
    }

    /// Of a change all that is known of it; of what changed, each key before and after.
    async fn details(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.0.details)
    }
}
