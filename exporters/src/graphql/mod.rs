//! Serves GraphQL queries on the graph of a store, and pushes commits to subscribers.
//!
//! ```yaml
//! exporters:
//!   sqlite: {path: airdig.db}
//!   graphql: {endpoint: localhost:8080, store: sqlite}
//! ```
//!
//! | path | serves |
//! |---|---|
//! | `POST /graphql`, `GET /graphql?query=` | queries |
//! | WebSocket `/graphql`, `graphql-transport-ws` | the subscription `changes`, and queries |
//! | `/schema.graphql` | the schema |
//!
//! The cost of a query is limited before it is validated (`bounds`). The `Host` header is checked (`hosts.rs`):
//!
//! ```yaml
//!   graphql: {endpoint: 0.0.0.0:8080, store: sqlite, allowed_hosts: [airdig.example.com]}
//! ```
//!
//! The exporter accepts no batches: it follows the commits of its store. A page of nodes with their neighbours
//! takes a few statements, since one read loads a field for all nodes of the page (`loader.rs`).

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::component::{
    BuildError, ExportError, Exporter, Host, ListenAddress, StartError, Tasks,
};
use pipeline::graph_store::GraphStore;
use pipeline::registry::{BuildExporter, ComponentMeta, Stability};
use pipeline::{Batch, SignalSet, listen};

mod bounds;
mod config;
mod hosts;
mod impact;
mod loader;
mod names;
mod neighbors;
mod path;
mod query;
mod schema;
mod serve;
mod store;
mod subscription;
mod time;
mod types;
mod value_path;

use bounds::BoundedSchema;
use hosts::AllowedHosts;

pub use config::Config;
pub use hosts::{AllowedHost, InvalidAllowedHost};

/// Serves GraphQL queries and subscriptions.
#[derive(Debug)]
pub struct Graphql {
    id: String,
    config: Config,
    store: Arc<dyn GraphStore>,
}

impl ComponentMeta for Graphql {
    const TYPE: &'static str = "graphql";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "serves queries, subscriptions and the schema at `/schema.graphql`";
    type Config = Config;
}

impl BuildExporter for Graphql {
    const ACCEPTS: SignalSet = SignalSet::NONE;
    const IDEMPOTENT: bool = true;

    fn build(config: Config, host: &Host) -> Result<Graphql, BuildError> {
        Ok(Graphql {
            id: host.id().to_string(),
            store: host.graph_store(&config.store)?,
            config,
        })
    }
}

#[async_trait]
impl Exporter for Graphql {
    async fn start(&mut self, tasks: &mut Tasks) -> Result<Vec<ListenAddress>, StartError> {
        let key = format!("exporters.{}.endpoint", self.id);
        let (listener, address) = listen::bind(self.config.endpoint.as_str(), "http", &key).await?;
        let schema = schema::builder(self.store.clone(), &self.config);
        let schema = BoundedSchema::new(schema, &self.config, tasks.stop())
            .map_err(|error| StartError::because("cannot start threads for queries", error))?;
        let hosts = AllowedHosts::new(
            &self.config.endpoint,
            &self.config.allowed_hosts,
            format!("exporters.{}.allowed_hosts", self.id),
        );
        let router = serve::router(schema, hosts, tasks.stop());
        tasks.spawn("http", serve::serve(listener, router, tasks.stop()));
        Ok(vec![ListenAddress {
            protocol: "http",
            address,
        }])
    }

    async fn export(&self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
