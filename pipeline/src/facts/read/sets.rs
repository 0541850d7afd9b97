//! Rows that belong together: all that one source tells of one uid at one time.

use std::collections::HashMap;

use super::row::Row;
use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::edges::mode;

/// Rows in the order in which each set was first seen in the batch; a row that stands by itself
/// is a set of its own.
pub(super) enum Group<'a> {
    Set(Vec<Row<'a>>),
    Seen(Row<'a>),
}

/// `mode_column` is that of the signal. Rows without a uid are counted in `without_uid`.
pub(super) fn groups<'a>(
    batch: &'a Batch,
    mode_column: &str,
    now: UnixNanos,
    without_uid: &mut usize,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places = HashMap::new();
    for row in Row::all(batch) {
        let Some(uid) = row.uid() else {
            *without_uid += 1;
            continue;
        };
        if row.word(mode_column).as_deref() == Some(mode::OBSERVED) {
            groups.push(Group::Seen(row));
            continue;
        }
        let place = *places
            .entry((uid, row.source(), row.time(now)))
            .or_insert(groups.len());
        match groups.get_mut(place) {
            Some(Group::Set(rows)) => rows.push(row),
            _ => groups.push(Group::Set(vec![row])),
        }
    }
    groups
}
