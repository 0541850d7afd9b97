//! The exporters: the graph store, GraphQL queries, OTLP, files, the log.

pub mod debug;
pub mod file;
pub mod graphql;
pub mod otlp;
mod otlp_client;
pub mod otlp_http;
pub mod sqlite;
