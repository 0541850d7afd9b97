//! The exporters: stores, files, GraphQL queries, OTLP.

pub mod debug;
pub mod file;
pub mod graphql;
mod json_line;
pub mod otlp;
mod otlp_client;
pub mod otlp_http;
pub mod sqlite;
