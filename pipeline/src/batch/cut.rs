//! The rows at which a batch may be split.

use std::collections::HashMap;

use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array as _, ArrayAccessor as _};

use crate::schema::{edges, opening};
use crate::{Batch, Signal};

/// The rows at which one batch may be split.
#[derive(Debug)]
pub(crate) enum Cuts {
    Anywhere,
    /// After these numbers of rows, ascending; the last is the number of all rows.
    After(Vec<usize>),
}

impl Cuts {
    /// The row after which to end a batch that begins after `start` rows and shall have at most `most` rows.
    /// A snapshot, the rows of one (`uid`, `source`, `scope`, `time`), is never split: a store would take the
    /// part for the whole snapshot. So the batch has fewer rows; or more, if one snapshot alone has more than
    /// `most` rows or snapshots overlap: then it ends at the next row where all snapshots have ended.
    pub(crate) fn end(&self, start: usize, most: usize) -> usize {
        let end = start.saturating_add(most);
        match self {
            Cuts::Anywhere => end,
            Cuts::After(places) => {
                let after = places.partition_point(|place| *place <= end);
                let fitting = after.checked_sub(1).map(|last| places[last]);
                let next = || places.get(after).copied().unwrap_or(end);
                fitting.filter(|place| *place > start).unwrap_or_else(next)
            }
        }
    }
}

impl Batch {
    pub(crate) fn cuts(&self) -> Cuts {
        if !matches!(self.signal(), Signal::Edges | Signal::Aliases) {
            return Cuts::Anywhere;
        }
        let (mut places, mut end) = (Vec::new(), 0);
        for (row, of_row) in self.snapshot_ends().into_iter().enumerate() {
            // All snapshots that began before this row end before it.
            if row == end && row > 0 {
                places.push(row);
            }
            end = end.max(of_row);
        }
        places.push(self.num_rows());
        Cuts::After(places)
    }

    /// Of each row, the row after the last of its snapshot.
    fn snapshot_ends(&self) -> Vec<usize> {
        let (uids, scopes) = (self.uid(), self.text(edges::SCOPE));
        let sources = self.words(opening::SOURCE);
        let times = self.numbers::<TimestampNanosecondType>(opening::TIME);
        let key = |row: usize| {
            (
                uids.value(row),
                sources.is_valid(row).then(|| sources.value(row)),
                scopes.is_valid(row).then(|| scopes.value(row)),
                times.value(row),
            )
        };
        let rows = 0..self.num_rows();
        let last: HashMap<_, usize> = rows.clone().map(|row| (key(row), row + 1)).collect();
        rows.map(|row| last[&key(row)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delivery;
    use crate::rows::Rows;

    /// One edge of each of these uids, in order.
    fn edges_of(uids: &str) -> Batch {
        let mut rows = Rows::new(Signal::Edges);
        for uid in uids.chars() {
            rows.push(None, Some(&uid.to_string()), "aws", &[]);
        }
        rows.finish(Delivery::nobody())
    }

    #[test]
    fn snapshot_is_never_split() {
        for (uids, most, cut) in [
            ("aabb", 2, 2),
            ("aabb", 3, 2),
            ("aabbb", 4, 2),
            ("abbb", 2, 1),
            ("aaabb", 2, 3),
            ("aaa", 1, 3),
            ("abab", 2, 4),
            ("ababcc", 5, 4),
            ("ab", 2, 2),
            ("ab", 9, 2),
            ("", 1, 0),
        ] {
            let batch = edges_of(uids);
            let end = batch.cuts().end(0, most).min(batch.num_rows());
            assert_eq!(end, cut, "{uids} {most}");
        }
    }
}
