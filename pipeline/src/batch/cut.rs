//! The rows at which a batch may be split.

use std::collections::HashMap;

use arrow_array::types::TimestampNanosecondType;

use super::cells;
use crate::schema::{edges, opening};
use crate::{Batch, Signal};

/// The rows at which one batch may be split.
#[derive(Debug)]
pub(crate) enum SplitPoints {
    Anywhere,
    /// After these numbers of rows, in ascending order. The last one is the number of all rows.
    After(Vec<usize>),
}

impl SplitPoints {
    /// The end of the part that begins at row `start` and should have at most `max_rows` rows. A snapshot, the rows of
    /// one (`uid`, `source`, `scope`, `time`), is never split: a store would accept a half of it as the whole snapshot.
    /// So the part may have fewer rows. It has more rows if a snapshot is larger than `max_rows`, or if snapshots
    /// overlap. In these cases it ends at the next row at which no snapshot continues.
    pub(crate) fn end(&self, start: usize, max_rows: usize) -> usize {
        let end = start.saturating_add(max_rows);
        match self {
            SplitPoints::Anywhere => end,
            SplitPoints::After(points) => {
                let after = points.partition_point(|point| *point <= end);
                let fitting = after.checked_sub(1).map(|last| points[last]);
                let next = || points.get(after).copied().unwrap_or(end);
                fitting.filter(|point| *point > start).unwrap_or_else(next)
            }
        }
    }
}

impl Batch {
    /// The rows at which the batch may be split.
    pub(crate) fn split_points(&self) -> SplitPoints {
        if !matches!(self.signal(), Signal::Edges | Signal::Aliases) {
            return SplitPoints::Anywhere;
        }
        let (mut points, mut end) = (Vec::new(), 0);
        for (row, snapshot_end) in self.snapshot_ends().into_iter().enumerate() {
            // All snapshots that begin before this row end before it.
            if row == end && row > 0 {
                points.push(row);
            }
            end = end.max(snapshot_end);
        }
        points.push(self.num_rows());
        SplitPoints::After(points)
    }

    /// For each row, the row after the last row of its snapshot.
    fn snapshot_ends(&self) -> Vec<usize> {
        let (uids, scopes) = (self.uid(), self.text(edges::SCOPE));
        let sources = self.words(opening::SOURCE);
        let times = self.numbers::<TimestampNanosecondType>(opening::TIME);
        let key = |row: usize| {
            (
                uids.value(row),
                cells::word(&sources, row),
                cells::text(scopes, row),
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

    /// One edge of each uid, in order.
    fn edges_of(uids: &str) -> Batch {
        let mut rows = Rows::new(Signal::Edges);
        for uid in uids.chars() {
            rows.push(None, Some(&uid.to_string()), "aws", &[]);
        }
        rows.finish(Delivery::untracked())
    }

    #[test]
    fn snapshot_is_never_split() {
        for (uids, max_rows, expected) in [
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
            let end = batch.split_points().end(0, max_rows).min(batch.num_rows());
            assert_eq!(end, expected, "{uids} {max_rows}");
        }
    }
}
