//! The YAML of `graphql`.

use std::time::Duration;

use pipeline::component::StoreRef;
use pipeline::config::{HostPort, duration};
use schemars::JsonSchema;
use serde::Deserialize;

use super::hosts::AllowedHost;

/// The settings of the server.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The exporter whose store holds the graph.
    pub store: StoreRef,
    /// The address to listen on: `host:port`.
    #[serde(default = "endpoint")]
    pub endpoint: HostPort,
    /// The longest time from the arrival of a query to its response, and for each response of a subscription.
    #[serde(default = "query_timeout", deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub query_timeout: Duration,
    /// The deepest nesting of fields in a query.
    #[serde(default = "max_depth")]
    pub max_depth: usize,
    /// The maximum number of fields in a response, computed from the query before it runs: every page counts as full,
    /// each read of the store counts 1000 fields, and a walk over edges counts 1000 for each step.
    #[serde(default = "max_complexity")]
    pub max_complexity: usize,
    /// Host names that the server accepts in the `Host` header, without ports, such as `airdig.example.com`;
    /// `*` accepts any name. IP addresses, `localhost` and the host of `endpoint` are always accepted. Requests with
    /// other host names are rejected, so that a page of another site cannot read the graph by DNS rebinding.
    #[serde(default)]
    pub allowed_hosts: Vec<AllowedHost>,
}

fn endpoint() -> HostPort {
    "localhost:8080"
        .parse()
        .expect("the endpoint has a host and a port")
}

fn query_timeout() -> Duration {
    Duration::from_secs(10)
}

// The introspection query of GraphiQL has 13 levels.
fn max_depth() -> usize {
    16
}

fn max_complexity() -> usize {
    50_000
}
