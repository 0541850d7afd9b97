//! Statistics of edges, summed over minutes (hours of what is old), writers and chunks.

use std::collections::{BTreeMap, BTreeSet};

use super::super::rows::{EdgeStatsRow, NodeId, ReadRows, Resolution, RowsError, Word};
use super::session::Session;
use crate::component::UnixNanos;
use crate::graph_store::{EdgeStats, Histogram};

/// Ends, kind and connection type.
type Key = (NodeId, Word, NodeId, Word);

/// What is summed of an edge.
struct Sum {
    since: UnixNanos,
    calls: u64,
    errors: u64,
    duration_sum: f64,
    duration_max: f64,
    durations: Histogram,
}

impl<R: ReadRows> Session<R> {
    /// The session is of the moment `to`: what was known by then of whom an endpoint is.
    pub(super) async fn edge_stats(
        &mut self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStats>, RowsError> {
        let mut rows = self.rows.edge_stats(Resolution::Hour, from, to).await?;
        rows.extend(self.rows.edge_stats(Resolution::Minute, from, to).await?);
        let ends: BTreeSet<NodeId> = rows.iter().flat_map(|row| [row.from, row.to]).collect();
        let ends: Vec<NodeId> = ends.into_iter().collect();
        let same = self.owners(&ends).await?;
        let mut sums: BTreeMap<Key, Sum> = BTreeMap::new();
        for row in rows {
            let ends = [row.from, row.to].map(|id| same.canonical(id));
            let key = (ends[0], row.kind, ends[1], row.connection_type);
            let sum = sums.entry(key).or_insert_with(|| Sum::since(row.minute));
            sum.add(&row);
        }
        let owners: Vec<NodeId> = sums
            .keys()
            .flat_map(|(from, _, to, _)| [*from, *to])
            .collect();
        self.load_headers(&owners).await?;
        let words = sums
            .keys()
            .flat_map(|(_, kind, _, connection)| [*kind, *connection]);
        self.words.read(&mut self.rows, words).await?;
        let figures = sums.into_iter().map(|((from, kind, to, connection), sum)| {
            let text = |word| self.words.text(word).as_ref().to_owned();
            EdgeStats {
                from: self.uid(from).to_owned(),
                kind: text(kind),
                to: self.uid(to).to_owned(),
                connection_type: text(connection),
                since: sum.since,
                calls: sum.calls,
                errors: sum.errors,
                duration_sum: sum.duration_sum,
                duration_max: sum.duration_max,
                durations: sum.durations,
            }
        });
        let mut figures: Vec<EdgeStats> = figures.collect();
        figures.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(figures)
    }
}

/// What they are ordered by.
fn order(it: &EdgeStats) -> (&str, &str, &str, &str) {
    (&it.from, &it.kind, &it.to, &it.connection_type)
}

impl Sum {
    fn since(minute: UnixNanos) -> Sum {
        Sum {
            since: minute,
            calls: 0,
            errors: 0,
            duration_sum: 0.0,
            duration_max: 0.0,
            durations: Histogram::default(),
        }
    }

    fn add(&mut self, row: &EdgeStatsRow) {
        self.since = self.since.min(row.minute);
        self.calls += row.calls;
        self.errors += row.errors;
        self.duration_sum += row.duration_sum;
        self.duration_max = self.duration_max.max(row.duration_max);
        self.durations
            .add_buckets(row.scale, row.offset, &row.counts, row.calls);
    }
}
