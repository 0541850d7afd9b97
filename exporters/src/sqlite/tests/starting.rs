//! Tests the start with an existing file, a missing file and unusable files, and the rejection of rows without a uid.

use std::fs;

use pipeline::component::Exporter;
use pipeline::graph_store::{AsOf, GraphStore};
use pipeline::schema::nodes;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use super::batches::node_batch;
use super::start;
use crate::sqlite::database::MIGRATIONS;

#[tokio::test]
async fn a_graph_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let first = start(&path).await.unwrap();
    first
        .export(&node_batch(
            "a",
            nodes::group::ACTUAL,
            "observed",
            "aws",
            "a",
            10,
        ))
        .await
        .unwrap();
    first.stop().await.unwrap();
    let second = start(&path).await.unwrap();
    let found = second
        .store
        .nodes(&["a".to_owned()], AsOf::Now)
        .await
        .unwrap();
    assert_eq!(found[0].as_ref().unwrap().name.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_missing_folder_is_reported_in_one_line_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let error = start(&folder.path().join("none/graph.db"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("create its folder") && error.contains("exporters.sqlite.path"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);
}

#[tokio::test]
async fn a_locked_file_is_reported_in_one_line_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let url = format!("sqlite:{}?mode=rwc", path.display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let error = start(&path).await.unwrap_err().to_string();
    assert!(error.contains("locked by another process"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_not_modified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    let text = "not a database, but long enough to have a header ".repeat(100);
    fs::write(&path, &text).unwrap();
    let error = start(&path).await.unwrap_err().to_string();
    assert!(error.contains("is not a SQLite database"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn rows_without_a_uid_are_rejected_and_others_are_written() {
    let test_store = super::TestStore::new().await;
    let mut rows = pipeline::rows::Rows::new(pipeline::Signal::Nodes);
    let cells = [(nodes::GROUP, pipeline::rows::Cell::Text("actual"))];
    rows.push(None, None, "test", &cells);
    rows.push(None, Some("a"), "test", &cells);
    let (delivery, receipt) = pipeline::Delivery::new(None);
    test_store.export(rows.finish(delivery)).await;
    assert!(test_store.node("a", AsOf::Now).await.is_some());
    assert!(matches!(
        receipt.await,
        pipeline::Outcome::Partial {
            rejected_rows: 1,
            ..
        }
    ));
}

/// SQLx stores the SHA-384 of a migration's text in each file, and does not open the file if the text has changed since,
/// not even in a comment. So a migration is never edited; a change of the schema is a new one.
#[test]
fn migrations_never_change() {
    let first_bytes = |checksum: &[u8]| -> String {
        let bytes = checksum[..8].iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    };
    let checksums: Vec<String> = MIGRATIONS
        .iter()
        .map(|migration| first_bytes(&migration.checksum))
        .collect();
    assert_eq!(checksums, ["ff4a3758d47e98c4", "10e26f5f49697a19"]);
}
