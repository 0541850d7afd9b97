//! Rows and helpers that several properties share.

use crate::component::UnixNanos;
use crate::store::rows::{NodeId, NodeRow, RowsError, Word, WriteRows};

/// The result of a property. A failed check panics; an error of the backend is returned.
pub(super) type PropertyResult = Result<(), RowsError>;

/// Later than all times of the properties.
pub(super) const MAX_TIME: UnixNanos = UnixNanos(u64::MAX);

/// An empty list of words or node ids.
pub(super) const NO_IDS: [i64; 0] = [];

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Interns the texts and returns their words, in order.
pub(super) async fn intern_words<const N: usize>(
    write: &mut impl WriteRows,
    texts: [&str; N],
) -> Result<[Word; N], RowsError> {
    let words = write.words(&strings(&texts)).await?;
    Ok(words.try_into().expect("one word for each text"))
}

/// Creates nodes with these uids and returns their ids, in order. Writes no other columns.
pub(super) async fn create_nodes<const N: usize>(
    write: &mut impl WriteRows,
    uids: [&str; N],
) -> Result<[NodeId; N], RowsError> {
    let created = write.node_ids(&strings(&uids)).await?;
    let ids: Vec<NodeId> = created.into_iter().map(|(id, _)| id).collect();
    Ok(ids.try_into().expect("one id for each uid"))
}

/// A row with this id and uid and the defaults of all other columns.
pub(super) fn node_row(id: NodeId, uid: &str) -> NodeRow {
    NodeRow {
        id,
        uid: uid.to_owned(),
        ..NodeRow::default()
    }
}

/// Sorts rows by a key. For reads that specify no order.
pub(super) fn sorted_by<T, K: Ord>(mut rows: Vec<T>, key: impl FnMut(&T) -> K) -> Vec<T> {
    rows.sort_by_key(key);
    rows
}

/// Sorts rows. For reads that specify no order.
pub(super) fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort();
    rows
}

/// All pairs of an element of `left` and an element of `right`.
pub(super) fn pairs<A: Clone, B: Clone>(left: &[A], right: &[B]) -> Vec<(A, B)> {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
    pairs.map(|(a, b)| (a.clone(), b.clone())).collect()
}
