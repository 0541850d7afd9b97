//! Rows for the properties.

use crate::component::UnixNanos;
use crate::store::rows::{NodeId, NodeRow, RowsError, Word, WriteRows};

/// How every property ends.
pub(super) type Checked = Result<(), RowsError>;

pub(super) const EVER: UnixNanos = UnixNanos(u64::MAX);

/// No words, or no nodes.
pub(super) const NONE: [i64; 0] = [];

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The words of these texts.
pub(super) async fn words<const N: usize>(
    write: &mut impl WriteRows,
    texts: [&str; N],
) -> Result<[Word; N], RowsError> {
    let words = write.words(&strings(&texts)).await?;
    Ok(words.try_into().expect("a word for each text"))
}

/// Nodes with these uids, of which nothing but the number is written.
pub(super) async fn nodes<const N: usize>(
    write: &mut impl WriteRows,
    uids: [&str; N],
) -> Result<[NodeId; N], RowsError> {
    let numbers = write.node_ids(&strings(&uids)).await?;
    let numbers: Vec<NodeId> = numbers.into_iter().map(|(id, _)| id).collect();
    Ok(numbers.try_into().expect("a number for each uid"))
}

pub(super) fn node(id: NodeId, uid: &str) -> NodeRow {
    NodeRow {
        id,
        uid: uid.to_owned(),
        ..NodeRow::default()
    }
}

/// Rows that come in any order, in the order of a key.
pub(super) fn by<T, K: Ord>(mut rows: Vec<T>, key: impl FnMut(&T) -> K) -> Vec<T> {
    rows.sort_by_key(key);
    rows
}

/// Rows that come in any order, in their own.
pub(super) fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort();
    rows
}

/// All elements of a few lists, each with each.
pub(super) fn pairs<A: Clone, B: Clone>(left: &[A], right: &[B]) -> Vec<(A, B)> {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
    pairs.map(|(a, b)| (a.clone(), b.clone())).collect()
}
