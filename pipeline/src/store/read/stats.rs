//! Reads edge statistics, summed over minutes, writers and chunks. Minutes that housekeeping has rolled up are read as
//! hours.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::GraphReader;
use crate::component::UnixNanos;
use crate::graph_store::{EdgeStats, Histogram};
use crate::store::rows::{EdgeStatsRow, NodeId, ReadRows, RowsError, StatsResolution, Word};

/// The key of the sums: from, kind, to, connection type.
type SumKey = (NodeId, Word, NodeId, Word);

/// The sum of the statistics of an edge.
struct EdgeStatsSum {
    since: UnixNanos,
    calls: u64,
    errors: u64,
    duration_sum: f64,
    duration_max: f64,
    durations: Histogram,
}

impl<R: ReadRows> GraphReader<R> {
    /// Returns the statistics in `from..to`. The reader is as of `to`, so nodes are merged as they were at that time.
    pub(super) async fn edge_stats(
        &mut self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStats>, RowsError> {
        let mut rows = self
            .rows
            .edge_stats(StatsResolution::Hour, from, to)
            .await?;
        rows.extend(
            self.rows
                .edge_stats(StatsResolution::Minute, from, to)
                .await?,
        );
        let ends: BTreeSet<NodeId> = rows.iter().flat_map(|row| [row.from, row.to]).collect();
        let ends: Vec<NodeId> = ends.into_iter().collect();
        let owners = self.load_owners(&ends).await?;
        let mut sums: BTreeMap<SumKey, EdgeStatsSum> = BTreeMap::new();
        for row in rows {
            let ends = [row.from, row.to].map(|id| owners.canonical(id));
            let key = (ends[0], row.kind, ends[1], row.connection_type);
            let sum = sums
                .entry(key)
                .or_insert_with(|| EdgeStatsSum::since(row.minute));
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
        self.words.load_texts(&mut self.rows, words).await?;
        let stats = sums.into_iter().map(|((from, kind, to, connection), sum)| {
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
        let mut stats: Vec<EdgeStats> = stats.collect();
        stats.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(stats)
    }
}

/// The order of the result.
fn order(it: &EdgeStats) -> (&str, &str, &str, &str) {
    (&it.from, &it.kind, &it.to, &it.connection_type)
}

impl EdgeStatsSum {
    fn since(minute: UnixNanos) -> EdgeStatsSum {
        EdgeStatsSum {
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
