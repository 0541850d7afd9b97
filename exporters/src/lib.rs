//! Where batches end: stores, files, queries.

pub mod debug;
pub mod file;
mod json_line;
pub mod sqlite;
