//! Tests of queries and subscriptions on a real SQLite store.

mod bounds;
mod hostile;
mod limits;
mod paths;
mod queries;
mod search;
mod serving;
mod subscriptions;
mod walks;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Executor, Request, Response};
use pipeline::attributes::MapBuilder;
use pipeline::component::{Exporter, Host, StoreRef, Tasks, UnixNanos};
use pipeline::registry::BuildExporter;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, changes, edge_stats, edges, nodes};
use pipeline::{Batch, Delivery, Signal, SignalSet};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::bounds::BoundedSchema;
use super::store::Store;
use super::{Config, Graphql, schema};
use crate::sqlite::{self, Sqlite};

/// A store with the graph of a shop: two instances with one security group, and calls between two services.
struct Shop {
    sqlite: Sqlite,
    graphql: Graphql,
    schema: BoundedSchema,
    _folder: tempfile::TempDir,
}

const MINUTE: u64 = 60_000_000_000;

fn config() -> Config {
    Config {
        store: StoreRef("sqlite".parse().unwrap()),
        endpoint: "127.0.0.1:0".parse().unwrap(),
        query_timeout: Duration::from_secs(10),
        max_depth: 16,
        max_complexity: 50_000,
        allowed_hosts: Vec::new(),
    }
}

fn bounded(store: Store, config: &Config) -> BoundedSchema {
    BoundedSchema::new(
        schema::builder(store, config),
        config,
        CancellationToken::new(),
    )
    .unwrap()
}

impl Shop {
    async fn new() -> Shop {
        Shop::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut Config)) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new("sqlite".parse().unwrap(), SignalSet::NONE, Arc::default());
        let file = sqlite::Config {
            path: folder.path().join("graph.db"),
            observed_edge_ttl: Duration::ZERO,
            retention: pipeline::store::Retention::default(),
        };
        let mut sqlite = Sqlite::build(file, &host).unwrap();
        sqlite
            .start(&mut Tasks::new(CancellationToken::new()))
            .await
            .unwrap();
        let mut config = config();
        set(&mut config);
        let graphql = Graphql::build(config.clone(), &host).unwrap();
        let schema = bounded(graphql.store.clone(), &config);
        let shop = Shop {
            sqlite,
            graphql,
            schema,
            _folder: folder,
        };
        shop.write(nodes_in_state(1)).await;
        shop.write(shop_edges()).await;
        shop.write(alias_of("arn:sg", "id", "sg-1")).await;
        shop.write(alias_of("arn:i-1", "name", "web")).await;
        shop.write(alias_of("arn:i-2", "name", "web")).await;
        shop.write(calls_to("svc:////cart")).await;
        shop
    }

    async fn write(&self, batch: Batch) {
        self.sqlite.export(&batch).await.unwrap();
    }

    async fn execute(&self, query: &str) -> Response {
        self.schema.execute(Request::new(query)).await
    }

    /// The data of a response, which must have no errors.
    async fn query(&self, query: &str) -> Json {
        let response = self.execute(query).await;
        assert!(response.errors.is_empty(), "{query}: {:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// The message of the error of a response, which must have exactly one.
    async fn query_error(&self, query: &str) -> String {
        let response = self.execute(query).await;
        assert_eq!(response.errors.len(), 1, "{query}: {response:?}");
        response.errors[0].message.clone()
    }
}

/// The security group and the instances with `state` in their values, observed at minute `state`.
fn nodes_in_state(state: u64) -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    let value = MapBuilder::new().int("state", state as i64).finish();
    let tags = MapBuilder::new().text("team", "shop").finish();
    for (uid, kind) in [
        ("arn:sg", "AWS::EC2::SecurityGroup"),
        ("arn:i-1", "AWS::EC2::Instance"),
        ("arn:i-2", "AWS::EC2::Instance"),
    ] {
        let cells = [
            (nodes::OP, Cell::Text("observed")),
            (nodes::GROUP, Cell::Text("actual")),
            (nodes::KIND, Cell::Text(kind)),
            (nodes::NAME, Cell::Text(uid.trim_start_matches("arn:"))),
            (nodes::PROVIDER, Cell::Text("aws")),
            (nodes::TAGS, Cell::Bytes(&tags)),
            (nodes::VALUE, Cell::Bytes(&value)),
        ];
        rows.push(Some(UnixNanos(state * MINUTE)), Some(uid), "aws", &cells);
    }
    rows.finish(Delivery::untracked())
}

/// Edges from the instances to the security group, from `front` to `cart`, and from `cart` to an instance.
fn shop_edges() -> Batch {
    let mut rows = Rows::new(Signal::Edges);
    for uid in ["arn:i-1", "arn:i-2"] {
        let cells = [
            (edges::MODE, Cell::Text("snapshot")),
            (edges::KIND, Cell::Text("SECURED_BY")),
            (edges::TO, Cell::Text("arn:sg")),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(UnixNanos(MINUTE)), Some(uid), "aws", &cells);
    }
    for (from, to) in [
        ("svc:////front", "svc:////cart"),
        ("svc:////cart", "arn:i-1"),
    ] {
        let cells = [
            (edges::MODE, Cell::Text("observed")),
            (edges::KIND, Cell::Text("CALLS")),
            (edges::TO, Cell::Text(to)),
            (edges::CONFIDENCE, Cell::Float(0.5)),
        ];
        rows.push(Some(UnixNanos(MINUTE)), Some(from), "otlp", &cells);
    }
    rows.finish(Delivery::untracked())
}

/// An alias, reported in the first minute.
fn alias_of(uid: &str, kind: &str, value: &str) -> Batch {
    alias_at(uid, kind, value, MINUTE)
}

fn alias_at(uid: &str, kind: &str, value: &str, time: u64) -> Batch {
    let mut rows = Rows::new(Signal::Aliases);
    let cells = [
        (aliases::MODE, Cell::Text("snapshot")),
        (aliases::KIND, Cell::Text(kind)),
        (aliases::VALUE, Cell::Text(value)),
    ];
    rows.push(Some(UnixNanos(time)), Some(uid), "aws", &cells);
    rows.finish(Delivery::untracked())
}

/// Edge stats of the second minute: 120 calls from `front`, 6 of which failed; each took a second.
fn calls_to(callee: &str) -> Batch {
    let mut rows = Rows::new(Signal::EdgeStats);
    let cells = [
        (edge_stats::KIND, Cell::Text("CALLS")),
        (edge_stats::TO, Cell::Text(callee)),
        (edge_stats::CONNECTION_TYPE, Cell::Text("")),
        (edge_stats::WRITER, Cell::Text("w")),
        (edge_stats::CALLS, Cell::UInt(120)),
        (edge_stats::ERRORS, Cell::UInt(6)),
        (edge_stats::DURATION_SUM, Cell::Float(120.0)),
        (edge_stats::DURATION_MAX, Cell::Float(1.0)),
        (edge_stats::DURATION_SCALE, Cell::Int(3)),
        (edge_stats::DURATION_OFFSET, Cell::Int(-1)),
        (edge_stats::DURATION_COUNTS, Cell::UInts(&[120])),
    ];
    rows.push(
        Some(UnixNanos(2 * MINUTE)),
        Some("svc:////front"),
        "test",
        &cells,
    );
    rows.finish(Delivery::untracked())
}

/// A change of the security group.
fn change(id: &str, minute: u64) -> Batch {
    let mut rows = Rows::new(Signal::Changes);
    let cells = [
        (changes::ID, Cell::Text(id)),
        (
            changes::EVENT_NAME,
            Cell::Text("AuthorizeSecurityGroupIngress"),
        ),
        (changes::ACTOR, Cell::Text("eve")),
    ];
    rows.push(
        Some(UnixNanos(minute * MINUTE)),
        Some("arn:sg"),
        "trail",
        &cells,
    );
    rows.finish(Delivery::untracked())
}
