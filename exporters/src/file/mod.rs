//! Appends batches to a file as lines of JSON: OTLP JSON for traces, metrics and logs, one row per line for all other
//! signals.
//!
//! ```yaml
//! exporters:
//!   file: {path: telemetry.jsonl}
//! ```
//!
//! The exporter acknowledges a batch when its lines are on disk. If a write fails, the exporter truncates the file to
//! the length that it had before the write, so that no partial line remains.

use std::fs::{File as OsFile, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pipeline::component::{
    BuildError, ExportError, Exporter, Host, ListenAddress, StartError, Tasks,
};
use pipeline::otlp::EncodeError;
use pipeline::registry::{BuildExporter, ComponentMeta, Stability};
use pipeline::sync::lock;
use pipeline::{Batch, SignalSet, json_rows, otlp};
use serde_json::Value as Json;

mod config;

pub use config::Config;

/// Appends batches to a file.
#[derive(Debug)]
pub struct File {
    id: String,
    path: PathBuf,
    file: Option<Arc<Mutex<OsFile>>>,
}

impl ComponentMeta for File {
    const TYPE: &'static str = "file";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "writes OTLP JSON lines for traces, metrics and logs; one JSON row per line for other signals";
    type Config = Config;
}

impl BuildExporter for File {
    const ACCEPTS: SignalSet = SignalSet::ALL;
    const IDEMPOTENT: bool = false;

    fn build(config: Config, host: &Host) -> Result<File, BuildError> {
        Ok(File {
            id: host.id().to_string(),
            path: config.path,
            file: None,
        })
    }
}

#[async_trait]
impl Exporter for File {
    async fn start(&mut self, _: &mut Tasks) -> Result<Vec<ListenAddress>, StartError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        let file = file.map_err(|error| {
            let remedy = match error.kind() {
                ErrorKind::NotFound => "create its directory, or set",
                _ => "set",
            };
            let (path, id) = (self.path.display(), &self.id);
            let reason = format!("cannot open {path} for writing: {remedy} exporters.{id}.path");
            StartError::because(reason, error)
        })?;
        self.file = Some(Arc::new(Mutex::new(file)));
        Ok(Vec::new())
    }

    /// One attempt at a time, so that the lines of two batches do not mix.
    fn concurrency(&self) -> usize {
        1
    }

    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let lines = json_lines(batch).map_err(|error| {
            ExportError::permanent(
                format!("cannot encode {} as OTLP JSON", batch.signal()),
                error,
            )
        })?;
        let file = self
            .file
            .clone()
            .expect("the engine starts an exporter before it exports");
        let written = tokio::task::spawn_blocking(move || append(&file, lines.as_bytes())).await;
        let failed = |cause| ExportError::Retryable {
            reason: format!("write {}", self.path.display()),
            after: None,
            source: Some(cause),
        };
        written
            .map_err(|error| failed(error.into()))?
            .map_err(|error| failed(error.into()))
    }
}

/// Appends the lines and syncs the file. If that fails, truncates the file to the length that it had before the write.
fn append(file: &Mutex<OsFile>, lines: &[u8]) -> std::io::Result<()> {
    let mut file = lock(file);
    let length_before = file.metadata()?.len();
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    if written.is_err() {
        file.set_len(length_before)?;
    }
    written
}

/// The JSON lines of a batch. Each ends with a line feed.
///
/// # Errors
/// If the batch cannot be encoded as OTLP.
fn json_lines(batch: &Batch) -> Result<String, EncodeError> {
    if SignalSet::TELEMETRY.contains(batch.signal()) {
        let mut line = otlp::json::encode(batch)?;
        line.push('\n');
        return Ok(line);
    }
    let mut lines = String::new();
    for mut row in json_rows::to_json(batch) {
        row.shift_insert(0, "signal".to_owned(), batch.signal().name().into());
        lines.push_str(&Json::Object(row).to_string());
        lines.push('\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests;
