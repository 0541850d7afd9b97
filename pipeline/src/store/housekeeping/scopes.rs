//! Scopes that no source scans any more, with the members of their last scans. Words stay: processes
//! keep their numbers in memory.
//!
//! A round begins after a walk over all nodes. It reads all scopes once, and looks at a few in each step.

use std::sync::{Mutex, PoisonError};

use super::super::Store;
use super::super::rows::{Backend, ReadRows, RowsError, ScopeKey, ScopeRow, WriteRows};
use super::{Horizon, walk};
use crate::claims::Class;
use crate::component::UnixNanos;

/// What is stored under this name: the horizon of the last walk after which all scopes were looked at.
const NAME: &str = "scopes";

/// Scopes that a step looks at.
const LIMIT: usize = if cfg!(test) { 1 } else { 100 };

/// Scopes of which no scan is as new as what is kept, as far as this round has not looked at them yet.
#[derive(Debug)]
struct Round {
    /// The horizon of the walk after which it began.
    walked: u64,
    left: Vec<ScopeKey>,
}

/// The round that is under way. A process that starts begins another.
#[derive(Debug, Default)]
pub(in crate::store) struct Rounds(Mutex<Option<Round>>);

impl Rounds {
    fn take(&self, walked: u64) -> Option<Round> {
        let mut round = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        round.take().filter(|round| round.walked == walked)
    }

    fn put(&self, round: Round) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(round);
    }
}

impl<B: Backend> Store<B> {
    /// How many scopes were removed; none where the nodes were not walked since they were looked at.
    pub(super) async fn remove_scopes(&self, horizon: &Horizon) -> Result<Option<u64>, RowsError> {
        let mut rows = self.backend.read().await?;
        let walked = walk::place(&mut rows).await?.walked;
        if walked <= looked_at(&mut rows).await? {
            return Ok(None);
        }
        let cut = horizon.cut();
        let mut round = match self.scope_rounds.take(walked) {
            Some(round) => round,
            None => {
                let all = rows.scopes(None).await?.into_iter();
                let silent = all.filter(|row| is_silent(row, cut));
                Round {
                    walked,
                    left: silent.map(|row| row.key).collect(),
                }
            }
        };
        let rest = round.left.len().saturating_sub(LIMIT);
        let page = round.left.split_off(rest);
        let names: Vec<_> = page.iter().map(|key| key.scope).collect();
        let mut found = Vec::new();
        for row in rows.scopes(Some(&names)).await? {
            if page.contains(&row.key) && is_retired(&mut rows, &row, cut).await? {
                found.push(row.key);
            }
        }
        drop(rows);
        if found.is_empty() && !round.left.is_empty() {
            self.scope_rounds.put(round);
            return Ok(Some(0));
        }
        let mut rows = self.backend.write().await?;
        let names: Vec<_> = found.iter().map(|key| key.scope).collect();
        let mut retired = Vec::new();
        for row in rows.scopes(Some(&names)).await? {
            // Something may have been reported of it meanwhile.
            if found.contains(&row.key) && is_retired(&mut rows, &row, cut).await? {
                retired.push(row.key);
            }
        }
        rows.remove_scopes(&retired).await?;
        if round.left.is_empty() {
            rows.put_state(NAME, &walked.to_le_bytes()).await?;
        }
        rows.commit().await?;
        self.scope_rounds.put(round);
        Ok(Some(retired.len() as u64))
    }
}

async fn looked_at(rows: &mut impl ReadRows) -> Result<u64, RowsError> {
    let stored = rows.state(NAME).await?;
    let stored = stored.and_then(|stored| stored.as_slice().try_into().ok());
    Ok(stored.map_or(0, u64::from_le_bytes))
}

/// Whether its last scan is too old to be kept.
fn is_silent(scope: &ScopeRow, cut: UnixNanos) -> bool {
    let last = scope.scans.last().map(|scan| scan.began);
    last.is_none_or(|last| last < cut) && scope.touched < cut
}

/// Whether it is silent, and no claim needs to know of its scans.
async fn is_retired(
    rows: &mut impl ReadRows,
    scope: &ScopeRow,
    cut: UnixNanos,
) -> Result<bool, RowsError> {
    if !is_silent(scope, cut) {
        return Ok(false);
    }
    let key = scope.key;
    for class in [key.class, Class::Edges, Class::Aliases] {
        let claims = ScopeKey { class, ..key };
        if !rows.open_claims(claims, 0, 1).await?.is_empty()
            || !rows.ended_claims(claims, UnixNanos(0)).await?.is_empty()
        {
            return Ok(false);
        }
    }
    if key.class != Class::Actual {
        return Ok(true);
    }
    // Scans of any source say what became of what create events reported in a scope of this name.
    let named = rows.scopes(Some(&[key.scope])).await?;
    Ok(named.iter().all(|row| row.key.class != Class::Created))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::claims::{By, Class, Removal};
    use crate::component::UnixNanos;
    use crate::members::Members;
    use crate::reports::{Completion, ReportBatch, Sighting};
    use crate::store::memory::MemoryBackend;
    use crate::store::{Retention, Settings, Store};
    use crate::uid;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[tokio::test]
    async fn a_step_looks_at_a_few_scopes() {
        let settings = Settings {
            seen_for: Duration::ZERO,
        };
        let store = Store::new(MemoryBackend::default(), settings);
        let time = UnixNanos(1_700_000_000_000_000_000);
        for scope in ["one", "other", "third"] {
            let reports = ReportBatch {
                sightings: vec![Sighting {
                    uid: scope,
                    class: Class::Actual,
                    source: "aws",
                    scope,
                    time,
                    state: 1,
                    by: By::Scan,
                    content: None,
                }],
                completions: vec![Completion {
                    class: Class::Actual,
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
        let (now, retention) = (time.after(90 * DAY), Retention::default());
        let horizon = store.raise_horizon(now, &retention).await.unwrap();
        while store.walk_nodes(now, &horizon).await.unwrap().is_some() {}
        // All of them are silent, and have a claim that is open.
        let mut steps = 0;
        while store.remove_scopes(&horizon).await.unwrap().is_some() {
            steps += 1;
        }
        assert_eq!(steps, 3);
    }
}
