//! `TimelineEntry`: an event in the history of a node.

use async_graphql::{Json, Object};
use pipeline::graph_store;
use serde_json::{Map as JsonMap, Value};

use crate::graphql::time::DateTime;

/// An event in the history of a node.
pub(in crate::graphql) struct TimelineEntry(pub(in crate::graphql) graph_store::TimelineEntry);

#[Object]
impl TimelineEntry {
    /// When the event happened.
    async fn time(&self) -> DateTime {
        DateTime(self.0.time)
    }

    /// The kind of the event: `node_appeared`, `node_changed`, `node_ended`, `edges_changed`, or `change` for an
    /// action of an actor.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The source that reported the event.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// A summary in one line of text.
    async fn summary(&self) -> &str {
        &self.0.summary
    }

    /// For `change`, all columns of the change; otherwise each changed key with its value before and after.
    async fn details(&self) -> Json<&JsonMap<String, Value>> {
        Json(&self.0.details)
    }
}
