//! Tests of the lines that the exporter appends, and of its errors.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use pipeline::component::{ExportError, Exporter, Host, Tasks, UnixNanos};
use pipeline::registry::BuildExporter;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp};
use serde_json::{Value as Json, json};

use super::{Config, File};

fn file(path: &Path) -> File {
    let host = Host::new("file/out".parse().unwrap(), SignalSet::NONE, Arc::default());
    File::build(
        Config {
            path: path.to_owned(),
        },
        &host,
    )
    .unwrap()
}

fn node() -> Batch {
    let mut rows = Rows::new(Signal::Nodes);
    rows.push(
        Some(UnixNanos(0)),
        Some("svc:////a"),
        "test",
        &[(nodes::OP, Cell::Text("observed"))],
    );
    rows.finish(Delivery::untracked())
}

#[tokio::test]
async fn lines_are_appended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    std::fs::write(&path, "{}\n").unwrap();
    let mut exporter = file(&path);
    exporter.start(&mut Tasks::default()).await.unwrap();
    exporter.export(&node()).await.unwrap();
    let request = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityText":"INFO"}]}]}]}"#;
    exporter
        .export(&otlp::json::decode(Signal::Logs, request, "otlp", Delivery::untracked()).unwrap())
        .await
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[1],
        json!({"signal": "nodes", "time": "1970-01-01T00:00:00.000000000Z", "uid": "svc:////a", "source": "test",
               "op": "observed", "group": ""})
    );
    assert_eq!(
        lines[2]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["severityText"],
        "INFO"
    );
}

#[tokio::test]
async fn the_error_for_a_missing_directory_names_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let error = file(&folder.path().join("no/out.jsonl"))
        .start(&mut Tasks::default())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("create its directory, or set exporters.file/out.path"),
        "{error}"
    );
}

#[tokio::test]
async fn a_full_disk_is_a_retryable_error() {
    let mut exporter = file(Path::new("/dev/full"));
    exporter.start(&mut Tasks::default()).await.unwrap();
    let error = exporter.export(&node()).await.unwrap_err();
    assert!(matches!(error, ExportError::Retryable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_empty_request_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let mut exporter = file(&path);
    exporter.start(&mut Tasks::default()).await.unwrap();
    let batch = otlp::decode_traces(Bytes::new(), "otlp", Delivery::untracked()).unwrap();
    exporter.export(&batch).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
}
