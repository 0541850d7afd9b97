//! How large and how old the store is, without a look at all rows.

use std::time::Duration;

use super::super::Store;
use super::super::rows::{Backend, ReadRows, Resolution, RowsError};
use super::{Retention, horizon, records, walk};
use crate::component::UnixNanos;

/// Figures of a store, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// Rows by table: about as many. Of tables without numbers of their own what the last walk of
    /// housekeeping counted.
    pub rows: Vec<(&'static str, u64)>,
    pub bytes: u64,
    /// Bytes of `bytes` that no row uses.
    pub free_bytes: u64,
    /// The oldest moment that reads may be about; none where all history is kept.
    pub oldest_history: Option<UnixNanos>,
    /// How much longer than it is to be kept something may have been kept by now. The horizon is raised
    /// in steps of a 64th of a retention, so that much is nothing to worry about.
    pub housekeeping_lag: Duration,
}

impl<B: Backend> Store<B> {
    /// # Errors
    /// When the backend fails.
    pub async fn figures(
        &self,
        now: UnixNanos,
        retention: &Retention,
    ) -> Result<StoreFigures, RowsError> {
        let sizes = self.backend.sizes().await?;
        let mut rows = self.backend.read().await?;
        let horizon = horizon::read(&mut rows).await?.history();
        let place = walk::place(&mut rows).await?;
        let mut figures = StoreFigures {
            rows: sizes.rows,
            bytes: sizes.bytes,
            free_bytes: sizes.free_bytes,
            oldest_history: (horizon.0 > 0).then_some(horizon),
            housekeeping_lag: lag(&mut rows, now, retention).await?,
        };
        let walked = place.counted;
        if walked.nodes > 0 {
            for (table, count) in [
                ("claims", walked.claims),
                ("claim_history", walked.past_claims),
                ("versions", walked.versions),
            ] {
                figures.rows.retain(|(known, _)| *known != table);
                figures.rows.push((table, count));
            }
        }
        Ok(figures)
    }
}

/// By the oldest of each kind that is still there.
async fn lag(
    rows: &mut impl ReadRows,
    now: UnixNanos,
    retention: &Retention,
) -> Result<Duration, RowsError> {
    let walked = walk::place(rows).await?.walked_up_to();
    let minutes = rows.oldest_edge_stats(Resolution::Minute).await?;
    let hours = rows.oldest_edge_stats(Resolution::Hour).await?;
    let oldest = [
        (retention.history, walked),
        (retention.edge_stats, minutes),
        (retention.edge_stats_hourly, hours),
        (retention.records, records::oldest(rows, now).await?),
    ];
    let late = oldest.into_iter().filter_map(|(kept, oldest)| {
        let until = oldest.filter(|_| !kept.is_zero())?.after(kept);
        Some(now.0.saturating_sub(until.0))
    });
    Ok(Duration::from_nanos(late.max().unwrap_or_default()))
}
