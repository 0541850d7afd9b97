//! How large and how old the store is, without a look at all rows.

use std::time::Duration;

use super::super::Store;
use super::super::rows::{Backend, RowsError};
use super::{horizon, walk};
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
    /// How much older what is still to be removed may be than the horizon.
    pub housekeeping_lag: Duration,
}

impl<B: Backend> Store<B> {
    /// # Errors
    /// When the backend fails.
    pub async fn figures(&self) -> Result<StoreFigures, RowsError> {
        let sizes = self.backend.sizes().await?;
        let mut rows = self.backend.read().await?;
        let horizon = horizon::read(&mut rows).await?.history();
        let place = walk::place(&mut rows).await?;
        let mut figures = StoreFigures {
            rows: sizes.rows,
            bytes: sizes.bytes,
            free_bytes: sizes.free_bytes,
            oldest_history: (horizon.0 > 0).then_some(horizon),
            housekeeping_lag: Duration::from_nanos(match place.walked {
                0 => 0,
                walked => horizon.0.saturating_sub(walked),
            }),
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
