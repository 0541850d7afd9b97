//! Removes records that were resolved before the horizon, and changes that were made before it. Keeps open records, and
//! the changes that they cite.

use std::collections::BTreeSet;

use serde_json::{Map as JsonMap, Value as Json};

use super::Horizon;
use super::horizon::minus_margin;
use crate::Signal;
use crate::component::UnixNanos;
use crate::store::Store;
use crate::store::rows::{
    Backend, NO_WORD, ReadRows, RecordQuery, RecordRow, RecordTime, RowsError, Word, WriteRows,
};

/// The number of records that are read or removed at a time.
const PAGE: usize = if cfg!(test) { 2 } else { 200 };

impl<B: Backend> Store<B> {
    /// Removes old records. Returns how many; `None` if no record is old enough.
    pub(super) async fn remove_old_records(
        &self,
        horizon: &Horizon,
    ) -> Result<Option<u64>, RowsError> {
        let cutoff = minus_margin(horizon.records().0);
        let mut rows = self.backend.read().await?;
        let names = Signal::RECORDS.map(|signal| signal.name().to_owned());
        let words = rows.find_words(&names).await?;
        let mut cited = None;
        let signals = Signal::RECORDS.into_iter().zip(&words);
        for (signal, word) in signals.filter(|(_, word)| **word != NO_WORD) {
            let time = match signal {
                Signal::Changes => RecordTime::Opened,
                _ => RecordTime::Resolved,
            };
            let mut after = None;
            loop {
                let page = rows.old_records(*word, time, cutoff, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some((time_of(last, time), last.id.clone()));
                let mut keys: Vec<_> = page.iter().map(record_key).collect();
                if signal == Signal::Changes {
                    if cited.is_none() {
                        cited = Some(cited_changes(&mut rows, &words).await?);
                    }
                    keys.retain(|(_, id, _)| {
                        cited.as_ref().is_none_or(|cited| !cited.contains(id))
                    });
                }
                if !keys.is_empty() {
                    drop(rows);
                    let mut rows = self.backend.write().await?;
                    rows.remove_records(&keys).await?;
                    rows.commit().await?;
                    return Ok(Some(keys.len() as u64));
                }
            }
        }
        Ok(None)
    }
}

/// Returns when the oldest stored record was resolved. Changes do not count, since they are kept as long as an open
/// record cites them.
pub(super) async fn oldest_resolved(
    rows: &mut impl ReadRows,
    now: UnixNanos,
) -> Result<Option<UnixNanos>, RowsError> {
    let names = Signal::RECORDS.map(|signal| signal.name().to_owned());
    let words = rows.find_words(&names).await?;
    let mut oldest = None::<UnixNanos>;
    for word in words.into_iter().skip(1).filter(|word| *word != NO_WORD) {
        let first = rows.old_records(word, RecordTime::Resolved, now, None, 1);
        let first = first.await?.first().and_then(|row| row.resolved);
        oldest = oldest.into_iter().chain(first).min();
    }
    Ok(oldest)
}

fn record_key(row: &RecordRow) -> (Word, String, UnixNanos) {
    (row.signal, row.id.clone(), row.opened)
}

fn time_of(row: &RecordRow, time: RecordTime) -> UnixNanos {
    match time {
        RecordTime::Opened => row.opened,
        RecordTime::Resolved => row.resolved.unwrap_or_default(),
    }
}

/// Returns the ids of the changes that open records cite.
async fn cited_changes(
    rows: &mut impl ReadRows,
    signals: &[Word],
) -> Result<BTreeSet<String>, RowsError> {
    let mut cited = BTreeSet::new();
    // `signals` begins with changes, which cite nothing.
    for signal in signals.iter().skip(1).filter(|word| **word != NO_WORD) {
        let mut page = RecordQuery {
            signal: *signal,
            status: NO_WORD,
            severity: NO_WORD,
            is_open: Some(true),
            opened: UnixNanos(0)..UnixNanos(u64::MAX),
            from: None,
            // A page begins with the last record of the previous page.
            limit: PAGE + 1,
        };
        loop {
            let open = rows.record_page(&page).await?;
            for row in &open {
                let columns = serde_json::from_str(&row.columns).unwrap_or_default();
                cited.extend(cited_ids(&columns));
            }
            if open.len() < page.limit {
                break;
            }
            page.from = open.last().map(|row| (row.opened, row.id.clone()));
        }
    }
    Ok(cited)
}

/// Returns the ids of the changes that a record cites: the attribution of a drift, both sides of a correlation.
fn cited_ids(columns: &JsonMap<String, Json>) -> impl Iterator<Item = String> {
    let event = columns
        .get("attribution")
        .and_then(|attribution| attribution.get("event_id"));
    let event = event.and_then(Json::as_str);
    let sides = ["left", "right"].into_iter().filter_map(|side| {
        let side = columns.get(side)?.as_str()?;
        side.strip_prefix("changes:")
    });
    event.into_iter().chain(sides).map(str::to_owned)
}
