//! Tests of merged, sliced and conformed batches.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow_schema::{Field, Schema};
use bytes::Bytes;

use super::Batch;
use crate::rows::{Cell, Rows};
use crate::schema::traces::PEER_UID;
use crate::schema::{nodes, opening};
use crate::testing::{batch, uids};
use crate::{Delivery, Outcome, Signal, otlp};

const REQUEST: Bytes = Bytes::from_static(&[
    0x0a, 0x0a, 0x12, 0x08, 0x12, 0x06, 0x2a, 0x04, b's', b'p', b'a', b'n',
]);

fn traces(request: Bytes) -> Batch {
    otlp::decode_traces(request, "otlp", Delivery::untracked()).unwrap()
}

#[test]
fn concat_of_one_batch_returns_that_batch_and_of_no_batch_returns_none() {
    let one = traces(REQUEST);
    let rows = one.rows().clone();
    let same = Batch::concat(vec![one]).unwrap();
    assert_eq!(
        same.original().unwrap().to_bytes().as_ptr(),
        REQUEST.as_ptr()
    );
    assert!(std::ptr::eq(
        rows.column(0).as_ref(),
        same.rows().column(0).as_ref()
    ));
    assert!(Batch::concat(Vec::new()).is_none());
}

#[test]
fn merged_unchanged_batches_encode_as_their_concatenated_requests() {
    let copy = Bytes::copy_from_slice(&REQUEST);
    let both = Batch::concat(vec![traces(REQUEST), traces(copy)]).unwrap();
    let three = Batch::concat(vec![both, traces(REQUEST)]).unwrap();
    assert_eq!(three.num_rows(), 3);
    assert_eq!(three.original().unwrap().parts(), [REQUEST; 3]);
    assert_eq!(otlp::encode(&three).unwrap(), REQUEST.repeat(3));
}

#[test]
fn uid_and_peer_uid_do_not_change_the_request() {
    use arrow_array::StringViewArray;
    let decoded = traces(REQUEST);
    assert!(decoded.text(PEER_UID).is_null(0));
    let uids = |uid| StringViewArray::from_iter([Some(uid)]);
    let named = decoded.with_uid(uids("a")).with_peer_uid(uids("b"));
    assert_eq!(
        (named.uid().value(0), named.text(PEER_UID).value(0)),
        ("a", "b")
    );
    assert_eq!(otlp::encode(&named).unwrap(), REQUEST);
    let rows = named.rows().clone();
    let rebuilt = named.with_rows(rows).unwrap();
    assert!(rebuilt.original().is_none());
    assert_eq!(
        otlp::encode(&rebuilt).unwrap(),
        otlp::encode(&traces(REQUEST)).unwrap()
    );
}

#[test]
fn merged_batch_with_a_changed_part_has_no_original_request() {
    let changed = traces(REQUEST);
    let rows = changed.rows().clone();
    let changed = changed.with_rows(rows).unwrap();
    let both = Batch::concat(vec![traces(REQUEST), changed]).unwrap();
    assert!(both.original().is_none());
    assert_eq!(both.num_rows(), 2);
}

#[test]
fn memory_counts_a_shared_request_once() {
    let one = traces(Bytes::from(vec![b'x'; 0]));
    assert_eq!(one.original().unwrap().len(), 0);
    let padding = [0x7a, 0x80, 0x80, 0x40].into_iter();
    let large: Bytes = padding.chain(std::iter::repeat_n(0, 1 << 20)).collect();
    let (one, same) = (traces(large.clone()), traces(large.clone()));
    let twice = Batch::concat(vec![one, same]).unwrap();
    assert!((large.len()..large.len() + 10_000).contains(&twice.memory()));
    let other = Bytes::copy_from_slice(&large);
    let both = Batch::concat(vec![twice, traces(other)]).unwrap();
    assert!((2 * large.len()..2 * large.len() + 10_000).contains(&both.memory()));
}

#[test]
fn merged_dictionaries_keep_their_words() {
    let parts = ["b", "a", "b", "c"].map(|source| {
        let mut rows = Rows::new(Signal::Nodes);
        let kind = (nodes::KIND, Cell::Text("service"));
        rows.push(None, Some("x"), source, &[kind]);
        rows.push(None, Some("y"), source, &[]);
        rows.finish(Delivery::untracked())
    });
    let all = Batch::concat(parts.to_vec()).unwrap();
    let words = all.words(opening::SOURCE);
    let read: Vec<_> = words.into_iter().flatten().collect();
    assert_eq!(read, ["b", "b", "a", "a", "b", "b", "c", "c"]);
    assert_eq!(words.values().len(), 3, "each word occurs once");
    let changed = all.column(nodes::KIND);
    assert_eq!(changed.null_count(), 4);
    let kinds = all.words(nodes::KIND);
    let read: Vec<_> = kinds.into_iter().collect();
    let (none, some) = (None, Some("service"));
    assert_eq!(read, [some, none, some, none, some, none, some, none]);
}

#[test]
fn slice_has_an_original_request_only_if_it_has_all_rows() {
    let both = Batch::concat(vec![traces(REQUEST), traces(REQUEST)]).unwrap();
    assert!(both.slice(0..2).original().is_some());
    let part = both.slice(1..2);
    assert!(part.original().is_none());
    assert_eq!(part.num_rows(), 1);
    let nodes = batch(Signal::Nodes, &["a", "b", "c"]);
    assert_eq!(uids(&nodes.slice(1..3)), ["b", "c"]);
}

#[tokio::test]
async fn senders_of_all_parts_wait_for_the_merged_batch() {
    let (one, mut first) = Delivery::new(None);
    let (two, second) = Delivery::new(None);
    let parts = [one, two].map(|delivery| batch(Signal::Nodes, &["a"]).with_delivery(delivery));
    let whole = Batch::concat(parts.to_vec()).unwrap();
    drop(parts);
    assert!(futures::poll!(&mut first).is_pending());
    drop(whole);
    assert_eq!(first.await, Outcome::Delivered);
    assert_eq!(second.await, Outcome::Delivered);
}

/// The same rows without the column `without`, and with an unknown column before the other columns.
fn other_version(batch: &Batch, without: &str) -> RecordBatch {
    let rows = batch.rows();
    let schema = rows.schema();
    let fields = schema.fields().iter().zip(rows.columns());
    let mut columns: Vec<(String, ArrayRef)> = fields
        .filter(|(field, _)| field.name() != without)
        .map(|(field, column)| (field.name().clone(), column.clone()))
        .collect();
    let unknown: ArrayRef = Arc::new(StringViewArray::from(vec!["x"; rows.num_rows()]));
    columns.insert(0, ("of_a_newer_version".to_owned(), unknown));
    RecordBatch::try_from_iter(columns).unwrap()
}

#[test]
fn rows_of_another_version_may_lack_nullable_columns_and_have_unknown_ones() {
    let rows = other_version(&batch(Signal::Nodes, &["a", "b"]), nodes::NAME);
    let accepted = Batch::new(Signal::Nodes, rows, Delivery::untracked()).unwrap();
    assert_eq!(accepted.rows().schema(), Signal::Nodes.schema());
    assert_eq!(uids(&accepted), ["a", "b"]);
    assert_eq!(accepted.column(nodes::NAME).null_count(), 2);
}

#[test]
fn rows_without_a_required_column_are_rejected_with_its_name() {
    let valid = batch(Signal::Nodes, &["a"]);
    let mismatch = |rows| {
        let batch = Batch::new(Signal::Nodes, rows, Delivery::untracked());
        batch.unwrap_err().to_string()
    };
    let error = mismatch(other_version(&valid, opening::SOURCE));
    assert!(error.ends_with("column source is missing"), "{error}");
    let name: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let mut columns = valid.rows().columns().to_vec();
    let mut fields: Vec<_> = Signal::Nodes.schema().fields().iter().cloned().collect();
    let index = Signal::Nodes.schema().index_of(nodes::NAME).unwrap();
    fields[index] = Arc::new(Field::new(nodes::NAME, name.data_type().clone(), true));
    columns[index] = name;
    let schema = Arc::new(Schema::new(fields));
    let error = mismatch(RecordBatch::try_new(schema, columns).unwrap());
    assert!(error.contains("column name is Int64, not "), "{error}");
}
