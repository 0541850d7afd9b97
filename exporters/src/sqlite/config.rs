//! The configuration of `sqlite`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::config::duration;
use pipeline::store::Retention;
use schemars::JsonSchema;
use serde::Deserialize;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "Document")]
pub struct Config {
    pub path: PathBuf,
    pub observed_edge_ttl: Duration,
    pub retention: Retention,
}

/// The configuration as YAML.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The database file. The exporter creates it if it is missing; its folder must exist.
    path: PathBuf,
    /// How long an observed edge (a call, a service on its pod) stays current after its last observation; 0 is for
    /// ever.
    #[serde(default = "one_day", deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    observed_edge_ttl: Duration,
    /// How long the store keeps ended data.
    #[serde(default)]
    retention: Retention,
}

fn one_day() -> Duration {
    Duration::from_secs(24 * 60 * 60)
}

/// Why a path is invalid: SQLite would not open one file that all connections share.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    #[error("path is empty: set it to the file of the graph, such as airdig.db")]
    Empty,
    #[error(
        "path `:memory:` gives each connection a database of its own: set it to a file, such as airdig.db"
    )]
    Memory,
    #[error(
        "path `{0}` is a URI, which can give each connection a database of its own: set it to the path of a \
         file, such as airdig.db (or `./{0}` for a file with that name)"
    )]
    Uri(String),
}

impl InvalidPath {
    /// Checks that SQLite opens one shared file for a path.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(path: &Path) -> Result<(), InvalidPath> {
        let path = path.to_string_lossy();
        if path.is_empty() {
            return Err(InvalidPath::Empty);
        }
        if path == ":memory:" {
            return Err(InvalidPath::Memory);
        }
        // Only in lower case and at the beginning: SQLite opens `FILE:` and `./file:` as files.
        if path.starts_with("file:") {
            return Err(InvalidPath::Uri(path.into_owned()));
        }
        Ok(())
    }
}

impl TryFrom<Document> for Config {
    type Error = InvalidPath;

    fn try_from(document: Document) -> Result<Config, InvalidPath> {
        InvalidPath::check(&document.path)?;
        Ok(Config {
            path: document.path,
            observed_edge_ttl: document.observed_edge_ttl,
            retention: document.retention,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Config, InvalidPath};

    fn parse(path: &str) -> Result<Config, String> {
        let config = serde_json::from_value(json!({"path": path}));
        config.map_err(|error| error.to_string())
    }

    #[test]
    fn a_path_without_one_shared_file_is_rejected_with_advice() {
        assert_eq!(parse("").unwrap_err(), InvalidPath::Empty.to_string());
        assert_eq!(
            parse(":memory:").unwrap_err(),
            InvalidPath::Memory.to_string()
        );
        for path in [
            "file::memory:",
            "file:graph.db?mode=memory",
            "file:",
            "file:/graph.db",
        ] {
            let error = parse(path).unwrap_err();
            assert!(
                error.contains(path) && error.contains("set it to the path of a file"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_with_an_unusual_name_is_accepted() {
        for path in ["airdig.db", "./:memory:", "./file:graph.db", "/tmp/a?b.db"] {
            assert_eq!(parse(path).unwrap().path.to_str(), Some(path));
        }
    }
}
