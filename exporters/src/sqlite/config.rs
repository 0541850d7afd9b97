//! The YAML of `sqlite`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::config::duration;
use pipeline::store::Retention;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "Document")]
pub struct Config {
    pub path: PathBuf,
    pub seen_for: Duration,
    pub retention: Retention,
}

/// The same as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The database; it is made where it is missing, its folder is not.
    path: PathBuf,
    /// How long an edge that was seen by itself (a call, a service on its pod) holds after it was
    /// last seen; 0 is for ever.
    #[serde(default = "a_day", deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    seen_for: Duration,
    /// How long things are kept.
    #[serde(default)]
    retention: Retention,
}

fn a_day() -> Duration {
    Duration::from_secs(24 * 60 * 60)
}

/// A path that SQLite does not take for one file that all connections share.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    #[error("path is empty: set it to the file that holds the graph, such as airdig.db")]
    Empty,
    #[error(
        "path `:memory:` gives each connection a database of its own: set it to a file, such as airdig.db"
    )]
    Memory,
    #[error(
        "path `{0}` is a URI, with which a connection can have a database of its own: set it to the path \
         of a file, such as airdig.db (or `./{0}` for a file of that name)"
    )]
    Uri(String),
}

impl InvalidPath {
    /// # Errors
    /// When SQLite would not take the path for one file.
    pub fn check(path: &Path) -> Result<(), InvalidPath> {
        let path = path.to_string_lossy();
        if path.is_empty() {
            return Err(InvalidPath::Empty);
        }
        if path == ":memory:" {
            return Err(InvalidPath::Memory);
        }
        // Only so written: SQLite takes `FILE:` and `./file:` for names of files.
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
            seen_for: document.seen_for,
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
    fn a_path_that_each_connection_has_for_itself_is_refused_with_what_to_do() {
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
    fn a_file_with_a_strange_name_is_a_file() {
        for path in ["airdig.db", "./:memory:", "./file:graph.db", "/tmp/a?b.db"] {
            assert_eq!(parse(path).unwrap().path.to_str(), Some(path));
        }
    }
}
