//! Records that were resolved long ago. Those that are open stay, and the changes that these cite.

use std::collections::BTreeSet;

use serde_json::{Map as JsonMap, Value as Json};

use super::super::Store;
use super::super::rows::{
    Backend, NO_WORD, ReadRows, RecordPage, RecordRow, RecordTime, RowsError, Word, WriteRows,
};
use super::Horizon;
use super::horizon::below;
use crate::Signal;
use crate::component::UnixNanos;

/// Records that are read or removed at a time.
const PAGE: usize = if cfg!(test) { 2 } else { 200 };

impl<B: Backend> Store<B> {
    /// How many records were removed; none where none is old enough.
    pub(super) async fn remove_old_records(
        &self,
        horizon: &Horizon,
    ) -> Result<Option<u64>, RowsError> {
        let cut = below(horizon.records().0);
        let mut rows = self.backend.read().await?;
        let names = Signal::RECORDS.map(|signal| signal.name().to_owned());
        let words = rows.find_words(&names).await?;
        let mut cited = None;
        let known = Signal::RECORDS.into_iter().zip(&words);
        for (signal, word) in known.filter(|(_, word)| **word != NO_WORD) {
            let time = match signal {
                Signal::Changes => RecordTime::Opened,
                _ => RecordTime::Resolved,
            };
            let mut after = None;
            loop {
                let page = rows.old_records(*word, time, cut, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some((place(last, time), last.id.clone()));
                let mut keys: Vec<_> = page.iter().map(key).collect();
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

/// When the first record was resolved that is still there. Changes stay where an open record cites
/// them, so they say nothing.
pub(super) async fn oldest(
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

fn key(row: &RecordRow) -> (Word, String, UnixNanos) {
    (row.signal, row.id.clone(), row.opened)
}

fn place(row: &RecordRow, time: RecordTime) -> UnixNanos {
    match time {
        RecordTime::Opened => row.opened,
        RecordTime::Resolved => row.resolved.unwrap_or_default(),
    }
}

/// The ids of the changes that open records cite.
async fn cited_changes(
    rows: &mut impl ReadRows,
    signals: &[Word],
) -> Result<BTreeSet<String>, RowsError> {
    let mut cited = BTreeSet::new();
    // All but the changes themselves.
    for signal in signals.iter().skip(1).filter(|word| **word != NO_WORD) {
        let mut page = RecordPage {
            signal: *signal,
            status: NO_WORD,
            severity: NO_WORD,
            is_open: Some(true),
            opened: UnixNanos(0)..UnixNanos(u64::MAX),
            from: None,
            // A page begins with the last one of the page before.
            limit: PAGE + 1,
        };
        loop {
            let open = rows.record_page(&page).await?;
            for row in &open {
                let columns = serde_json::from_str(&row.columns).unwrap_or_default();
                cited.extend(cites(&columns));
            }
            if open.len() < page.limit {
                break;
            }
            page.from = open.last().map(|row| (row.opened, row.id.clone()));
        }
    }
    Ok(cited)
}

/// Changes that a record cites: who made a drift, both sides of a correlation.
fn cites(columns: &JsonMap<String, Json>) -> impl Iterator<Item = String> {
    let event = columns
        .get("attribution")
        .and_then(|who| who.get("event_id"));
    let event = event.and_then(Json::as_str);
    let sides = ["left", "right"].into_iter().filter_map(|side| {
        let side = columns.get(side)?.as_str()?;
        side.strip_prefix("changes:")
    });
    event.into_iter().chain(sides).map(str::to_owned)
}
