//! Where batches end: stores, files, queries.

pub mod debug;
pub mod file;
pub mod graphql;
mod json_line;
pub mod sqlite;
