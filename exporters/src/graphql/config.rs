//! The YAML of `graphql`.

use std::time::Duration;

use pipeline::component::StoreRef;
use pipeline::config::{HostPort, duration};
use schemars::JsonSchema;
use serde::Deserialize;

use super::hosts::AllowedHost;

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The exporter that keeps the graph.
    pub store: StoreRef,
    /// Where to listen: `host:port`.
    #[serde(default = "endpoint")]
    pub endpoint: HostPort,
    /// How long a query may take, with the time until it is checked.
    #[serde(default = "query_timeout", deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    pub query_timeout: Duration,
    /// How many fields of a query may stand inside each other.
    #[serde(default = "max_depth")]
    pub max_depth: usize,
    /// How many fields a response may have, computed from the query alone: pages count as full, a read of the
    /// store as 1000 fields, and a walk over edges as so many for each step.
    #[serde(default = "max_complexity")]
    pub max_complexity: usize,
    /// Names by which clients may address the server, without ports, such as `airdig.example.com`; `*` allows any.
    /// IP addresses, `localhost` and the name of `endpoint` are always allowed. A request with another name in
    /// `Host` is rejected, so that no page of another site can read the graph through DNS rebinding.
    #[serde(default)]
    pub allowed_hosts: Vec<AllowedHost>,
}

fn endpoint() -> HostPort {
    "localhost:8080".parse().expect("it has a host and a port")
}

fn query_timeout() -> Duration {
    Duration::from_secs(10)
}

// GraphiQL's introspection is 13 deep.
fn max_depth() -> usize {
    16
}

fn max_complexity() -> usize {
    50_000
}
