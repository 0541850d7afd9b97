//! Scopes that no source scans any more, with the members of their last scans. Words stay: processes
//! keep their numbers in memory.

use super::super::Store;
use super::super::rows::{Backend, ReadRows, RowsError, ScopeKey, ScopeRow, WriteRows};
use super::{Horizon, walk};
use crate::claims::Class;
use crate::component::UnixNanos;

/// What is stored under this name: the horizon of the last walk after which all scopes were looked at.
const NAME: &str = "scopes";

/// Scopes that are removed at once.
const LIMIT: usize = if cfg!(test) { 1 } else { 100 };

impl<B: Backend> Store<B> {
    /// How many scopes were removed; none where the nodes were not walked since they were looked at.
    pub(super) async fn remove_scopes(&self, horizon: &Horizon) -> Result<Option<u64>, RowsError> {
        let mut rows = self.backend.read().await?;
        let walked = walk::place(&mut rows).await?.walked;
        if walked <= looked_at(&mut rows).await? {
            return Ok(None);
        }
        let cut = horizon.cut();
        let mut found = Vec::new();
        for row in rows.scopes(None).await? {
            if found.len() < LIMIT && is_retired(&mut rows, &row, cut).await? {
                found.push(row.key);
            }
        }
        drop(rows);
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
        if found.len() < LIMIT {
            rows.put_state(NAME, &walked.to_le_bytes()).await?;
        }
        rows.commit().await?;
        Ok(Some(retired.len() as u64))
    }
}

async fn looked_at(rows: &mut impl ReadRows) -> Result<u64, RowsError> {
    let stored = rows.state(NAME).await?;
    let stored = stored.and_then(|stored| stored.as_slice().try_into().ok());
    Ok(stored.map_or(0, u64::from_le_bytes))
}

/// Whether its last scan is too old to be kept, and no claim needs to know of its scans.
async fn is_retired(
    rows: &mut impl ReadRows,
    scope: &ScopeRow,
    cut: UnixNanos,
) -> Result<bool, RowsError> {
    let last = scope.scans.last().map(|scan| scan.began);
    if last.is_some_and(|last| last >= cut) || scope.touched >= cut {
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
