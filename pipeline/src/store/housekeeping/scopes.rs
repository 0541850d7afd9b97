//! Removes scopes that no source scans any more, with the members of their last scans. The words of their names stay,
//! since processes keep the numbers of words in memory.
//!
//! A sweep over the scopes begins after each walk over all nodes. It reads all scopes once, and each step examines a
//! few of them.

use std::sync::Mutex;

use super::{Horizon, walk};
use crate::claims::ClaimClass;
use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{Backend, ReadRows, RowsError, ScopeKey, ScopeRow, WriteRows};
use crate::sync::lock;

/// The name of the stored value: the horizon of the last walk that was followed by a complete sweep.
const STATE_NAME: &str = "scopes";

/// The number of scopes that a step examines.
const SCOPES_PER_STEP: usize = if cfg!(test) { 1 } else { 100 };

/// A sweep over the inactive scopes.
#[derive(Debug)]
struct ScopeSweep {
    /// The horizon of the walk that preceded the sweep.
    walked: u64,
    /// The scopes that are not yet examined.
    remaining: Vec<ScopeKey>,
}

/// The current sweep. A process begins a new sweep when it starts.
#[derive(Debug, Default)]
pub(in crate::store) struct CurrentScopeSweep(Mutex<Option<ScopeSweep>>);

impl CurrentScopeSweep {
    fn take(&self, walked: u64) -> Option<ScopeSweep> {
        let mut sweep = lock(&self.0);
        sweep.take().filter(|sweep| sweep.walked == walked)
    }

    fn put(&self, sweep: ScopeSweep) {
        *lock(&self.0) = Some(sweep);
    }
}

impl<B: Backend> Store<B> {
    /// Removes retired scopes. Returns how many; `None` if no walk over the nodes was completed since the last complete
    /// sweep.
    pub(super) async fn remove_retired_scopes(
        &self,
        horizon: &Horizon,
    ) -> Result<Option<u64>, RowsError> {
        let mut rows = self.backend.read().await?;
        let walked = walk::read_position(&mut rows).await?.walked;
        if walked <= swept_horizon(&mut rows).await? {
            return Ok(None);
        }
        let cutoff = horizon.history_cutoff();
        let mut sweep = match self.scope_sweep.take(walked) {
            Some(sweep) => sweep,
            None => {
                let all = rows.scopes(None).await?.into_iter();
                let inactive = all.filter(|row| is_inactive(row, cutoff));
                ScopeSweep {
                    walked,
                    remaining: inactive.map(|row| row.key).collect(),
                }
            }
        };
        let rest = sweep.remaining.len().saturating_sub(SCOPES_PER_STEP);
        let page = sweep.remaining.split_off(rest);
        let names: Vec<_> = page.iter().map(|key| key.scope).collect();
        let mut candidates = Vec::new();
        for row in rows.scopes(Some(&names)).await? {
            if page.contains(&row.key) && is_retired(&mut rows, &row, cutoff).await? {
                candidates.push(row.key);
            }
        }
        drop(rows);
        if candidates.is_empty() && !sweep.remaining.is_empty() {
            self.scope_sweep.put(sweep);
            return Ok(Some(0));
        }
        let mut rows = self.backend.write().await?;
        let names: Vec<_> = candidates.iter().map(|key| key.scope).collect();
        let mut retired = Vec::new();
        for row in rows.scopes(Some(&names)).await? {
            // A report may have arrived since the candidates were read.
            if candidates.contains(&row.key) && is_retired(&mut rows, &row, cutoff).await? {
                retired.push(row.key);
            }
        }
        rows.remove_scopes(&retired).await?;
        if sweep.remaining.is_empty() {
            rows.put_state(STATE_NAME, &walked.to_le_bytes()).await?;
        }
        rows.commit().await?;
        self.scope_sweep.put(sweep);
        Ok(Some(retired.len() as u64))
    }
}

async fn swept_horizon(rows: &mut impl ReadRows) -> Result<u64, RowsError> {
    let stored = rows.state(STATE_NAME).await?;
    let stored = stored.and_then(|stored| stored.as_slice().try_into().ok());
    Ok(stored.map_or(0, u64::from_le_bytes))
}

/// Whether the last scan and the last report of a scope are before the cutoff.
fn is_inactive(scope: &ScopeRow, cutoff: UnixNanos) -> bool {
    let last = scope.scans.last().map(|scan| scan.began);
    last.is_none_or(|last| last < cutoff) && scope.last_direct_report < cutoff
}

/// Whether a scope is inactive and has no claims that depend on its scans.
async fn is_retired(
    rows: &mut impl ReadRows,
    scope: &ScopeRow,
    cutoff: UnixNanos,
) -> Result<bool, RowsError> {
    if !is_inactive(scope, cutoff) {
        return Ok(false);
    }
    let key = scope.key;
    for class in [key.class, ClaimClass::Edges, ClaimClass::Aliases] {
        let claims = ScopeKey { class, ..key };
        if !rows.open_claims(claims, 0, 1).await?.is_empty()
            || !rows.ended_claims(claims, UnixNanos(0)).await?.is_empty()
        {
            return Ok(false);
        }
    }
    if key.class != ClaimClass::Actual {
        return Ok(true);
    }
    // Scans of a scope also end claims of create events in scopes of this name, whatever their source.
    let named = rows.scopes(Some(&[key.scope])).await?;
    Ok(named.iter().all(|row| row.key.class != ClaimClass::Created))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::claims::{ClaimClass, Removal, ReportedBy};
    use crate::component::UnixNanos;
    use crate::reports::{ReportBatch, ScanCompletion, Sighting};
    use crate::scan_members::Members;
    use crate::store::Retention;
    use crate::testing::memory_store;
    use crate::uid;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[tokio::test]
    async fn each_step_examines_a_bounded_number_of_scopes() {
        let store = memory_store();
        let time = UnixNanos(1_700_000_000_000_000_000);
        for scope in ["first", "second", "third"] {
            let reports = ReportBatch {
                sightings: vec![Sighting {
                    uid: scope,
                    class: ClaimClass::Actual,
                    source: "aws",
                    scope,
                    time,
                    state: 1,
                    by: ReportedBy::Scan,
                    content: None,
                }],
                completions: vec![ScanCompletion {
                    class: ClaimClass::Actual,
                    source: "aws",
                    scope,
                    began: time,
                    members: Arc::new(Members::new(vec![(uid::hash(scope), 1)])),
                    miss: Removal::Deleted,
                }],
                ..ReportBatch::default()
            };
            store.write_at(&reports, time).await.unwrap();
        }
        let (now, retention) = (time + 90 * DAY, Retention::default());
        let horizon = store.raise_horizon(now, &retention).await.unwrap();
        while store.walk_nodes(now, &horizon).await.unwrap().is_some() {}
        // All scopes are inactive, and each has an open claim.
        let mut steps = 0;
        while store
            .remove_retired_scopes(&horizon)
            .await
            .unwrap()
            .is_some()
        {
            steps += 1;
        }
        assert_eq!(steps, 3);
    }
}
