//! Metrics of a store: its size and its age, without reading all rows.

use std::time::Duration;

use super::horizon::read_horizon;
use super::{Retention, records, walk};
use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows, RowsError, StatsResolution};

/// Metrics of a store. Row counts are estimates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreMetrics {
    /// Row counts by table. Counts of tables whose rows have no number are from the last complete walk of housekeeping.
    pub rows: Vec<(&'static str, u64)>,
    pub bytes: u64,
    /// The part of `bytes` that no row uses.
    pub free_bytes: u64,
    /// The oldest time as of which reads are accepted; `None` if all history is kept.
    pub oldest_history: Option<UnixNanos>,
    /// How much longer than its retention the oldest row may have been kept. The horizon is raised in steps of a 64th
    /// of a retention, so a lag of that size is normal.
    pub housekeeping_lag: Duration,
}

impl<B: Backend> Store<B> {
    /// Returns the metrics of the store.
    ///
    /// # Errors
    /// If the backend fails.
    pub async fn metrics(
        &self,
        now: UnixNanos,
        retention: &Retention,
    ) -> Result<StoreMetrics, RowsError> {
        let size = self.backend.store_size().await?;
        let mut rows = self.backend.read().await?;
        let horizon = read_horizon(&mut rows).await?.history();
        let position = walk::read_position(&mut rows).await?;
        let mut metrics = StoreMetrics {
            rows: size.rows,
            bytes: size.bytes,
            free_bytes: size.free_bytes,
            oldest_history: (horizon.0 > 0).then_some(horizon),
            housekeeping_lag: lag(&mut rows, now, retention).await?,
        };
        let counts = position.counted;
        if counts.nodes > 0 {
            for (table, count) in [
                ("claims", counts.claims),
                ("claim_history", counts.past_claims),
                ("versions", counts.versions),
            ] {
                metrics.rows.retain(|(name, _)| *name != table);
                metrics.rows.push((table, count));
            }
        }
        Ok(metrics)
    }
}

/// Returns the greatest lag among the oldest rows of all kinds.
async fn lag(
    rows: &mut impl ReadRows,
    now: UnixNanos,
    retention: &Retention,
) -> Result<Duration, RowsError> {
    let walked = walk::read_position(rows).await?.walked_up_to();
    let minutes = rows.oldest_edge_stats(StatsResolution::Minute).await?;
    let hours = rows.oldest_edge_stats(StatsResolution::Hour).await?;
    let oldest = [
        (retention.history, walked),
        (retention.edge_stats, minutes),
        (retention.edge_stats_hourly, hours),
        (
            retention.records,
            records::oldest_resolved(rows, now).await?,
        ),
    ];
    let lags = oldest.into_iter().filter_map(|(kept, oldest)| {
        let until = oldest.filter(|_| !kept.is_zero())? + kept;
        Some(now.0.saturating_sub(until.0))
    });
    Ok(Duration::from_nanos(lags.max().unwrap_or_default()))
}
