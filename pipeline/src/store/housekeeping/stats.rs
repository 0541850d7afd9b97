//! Rolls up edge statistics: sums old minutes to hours, and removes old hours.

use std::collections::BTreeMap;

use super::horizon::minus_margin;
use super::{Horizon, STEP, StepTimer};
use crate::component::UnixNanos;
use crate::graph_store::Histogram;
use crate::store::Store;
use crate::store::rows::{
    Backend, EdgeStatsRow, NO_WORD, ReadRows, RowsError, StatsEdge, StatsResolution, WriteRows,
};

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;

impl<B: Backend> Store<B> {
    /// Sums the minutes of the oldest hour. Returns how many rows it replaced; `None` if no minute is old enough. It
    /// reads the minutes before it opens a write session: no transaction writes such old minutes.
    pub(super) async fn roll_up_minutes(
        &self,
        horizon: &Horizon,
    ) -> Result<Option<u64>, RowsError> {
        let end = minus_margin(horizon.edge_stats().0);
        let mut rows = self.backend.read().await?;
        let oldest = rows.oldest_edge_stats(StatsResolution::Minute).await?;
        let Some(oldest) = oldest.filter(|oldest| *oldest < end) else {
            return Ok(None);
        };
        let hour = oldest.0 / HOUR * HOUR;
        let mut hours: BTreeMap<StatsEdge, EdgeStatsRow> = BTreeMap::new();
        let mut count = 0;
        for minute in (hour..hour + HOUR).step_by(MINUTE as usize) {
            let (from, to) = (UnixNanos(minute), UnixNanos(minute + MINUTE));
            for row in rows.edge_stats(StatsResolution::Minute, from, to).await? {
                count += 1;
                let edge = StatsEdge::of(&row);
                match hours.get_mut(&edge) {
                    Some(sum) => sum.add(&row),
                    None => {
                        hours.insert(edge, row.as_hour(UnixNanos(hour)));
                    }
                }
            }
        }
        drop(rows);
        let hours = hours.into_values().collect();
        self.replace_hour(StatsResolution::Minute, UnixNanos(hour), hours)
            .await?;
        Ok(Some(count))
    }

    /// Removes the rows of the oldest hour. Returns how many rows it removed; `None` if no hour is old enough.
    pub(super) async fn remove_hours(&self, horizon: &Horizon) -> Result<Option<u64>, RowsError> {
        let end = minus_margin(horizon.edge_stats_hourly().0);
        let mut rows = self.backend.read().await?;
        let oldest = rows.oldest_edge_stats(StatsResolution::Hour).await?;
        let Some(hour) = oldest.filter(|oldest| *oldest < end) else {
            return Ok(None);
        };
        let (from, to) = (hour, UnixNanos(hour.0 + 1));
        let rows = rows.edge_stats(StatsResolution::Hour, from, to).await?;
        let count = rows.len() as u64;
        self.replace_hour(StatsResolution::Hour, hour, rows).await?;
        Ok(Some(count))
    }

    /// Removes the statistics of an hour, partition by partition. If `removed` is `Minute`, it writes `rows`, the sums
    /// of these minutes, instead.
    async fn replace_hour(
        &self,
        removed: StatsResolution,
        hour: UnixNanos,
        rows: Vec<EdgeStatsRow>,
    ) -> Result<(), RowsError> {
        let mut partitions: BTreeMap<u8, Vec<EdgeStatsRow>> = BTreeMap::new();
        for row in rows {
            partitions
                .entry(StatsEdge::of(&row).part())
                .or_default()
                .push(row);
        }
        let mut partitions = partitions.into_values().peekable();
        while partitions.peek().is_some() {
            let mut session = self.backend.write().await?;
            let timer = StepTimer::start();
            while let Some(rows) = partitions.next_if(|_| !timer.has_elapsed()) {
                let edges: Vec<StatsEdge> = rows.iter().map(StatsEdge::of).collect();
                let end = UnixNanos(hour.0 + HOUR);
                session
                    .remove_edge_stats(removed, &edges, hour, end)
                    .await?;
                if removed == StatsResolution::Minute {
                    session.put_edge_stats(StatsResolution::Hour, &rows).await?;
                }
            }
            session.commit().await?;
            if partitions.peek().is_some() {
                // Lets other processes write before the next transaction.
                tokio::time::sleep(STEP).await;
            }
        }
        Ok(())
    }
}

impl EdgeStatsRow {
    /// Returns the row of an hour that has only this row as a summand.
    fn as_hour(&self, hour: UnixNanos) -> EdgeStatsRow {
        EdgeStatsRow {
            minute: hour,
            writer: NO_WORD,
            chunk: 0,
            ..self.clone()
        }
    }

    /// Adds the statistics of another row of the same edge.
    fn add(&mut self, other: &EdgeStatsRow) {
        let histogram =
            |row: &EdgeStatsRow| Histogram::of(row.scale, row.offset, &row.counts, row.calls);
        let mut sum = histogram(self);
        sum.add(histogram(other));
        let first = sum.counts.keys().next().copied().unwrap_or_default();
        let last = sum.counts.keys().next_back().copied();
        let buckets = first..=last.unwrap_or(first - 1);
        self.scale = sum.scale;
        self.offset = first;
        self.counts = buckets
            .map(|bucket| sum.counts.get(&bucket).copied().unwrap_or_default())
            .collect();
        self.calls += other.calls;
        self.errors += other.errors;
        self.duration_sum += other.duration_sum;
        self.duration_max = self.duration_max.max(other.duration_max);
    }
}
