//! Reads pages of records, newest first.
//!
//! ```text
//!  by signal, status and severity: a page of each combination ─────┐
//!  by uids: pages of the records that name one, then filtered ─────┴─▶ merged by (opened, id, signal)
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::reader::GraphReader;
use crate::Signal;
use crate::component::UnixNanos;
use crate::graph_store::{Record, RecordFilter, RecordsPage};
use crate::store::rows::{NO_WORD, ReadRows, RecordQuery, RecordRow, RowsError, Word};

/// The minimum number of records that are read together when they are found by uid.
const PAGE: usize = if cfg!(test) { 2 } else { 100 };

/// The position of a record in the list: (opened, id, signal).
type RecordCursor = (UnixNanos, String, String);

/// A filter converted to words. Empty lists match all records.
struct RecordSelection {
    /// Each signal as its word and its name.
    signals: Vec<(Word, &'static str)>,
    statuses: Vec<Word>,
    severities: Vec<Word>,
    opened: std::ops::Range<UnixNanos>,
    is_open: Option<bool>,
}

impl<R: ReadRows> GraphReader<R> {
    pub(super) async fn record_list(
        &mut self,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordsPage, RowsError> {
        let Some(selection) = self.record_selection(filter).await? else {
            return Ok(RecordsPage::default());
        };
        let after = match after.map(parse_cursor) {
            None => None,
            Some(Some(cursor)) => Some(cursor),
            // An invalid cursor: nothing follows it.
            Some(None) => return Ok(RecordsPage::default()),
        };
        if limit == 0 {
            return Ok(RecordsPage::default());
        }
        let mut rows = match filter.uids.is_empty() {
            true => {
                self.records_by_status(&selection, after.as_ref(), limit)
                    .await?
            }
            false => {
                self.records_by_uid(&filter.uids, &selection, after.as_ref(), limit)
                    .await?
            }
        };
        rows.truncate(limit);
        let last = rows.last().filter(|_| rows.len() == limit);
        let last = last.map(|row| encode_cursor(&selection.cursor(row)));
        let words = rows.iter();
        let words = words.flat_map(|row| [row.signal, row.source, row.status, row.severity]);
        self.words.load_texts(&mut self.rows, words).await?;
        let records = rows.into_iter().filter_map(|row| self.record(row));
        Ok(RecordsPage {
            records: records.collect(),
            last,
        })
    }

    /// Converts a filter; `None` if no record can match.
    async fn record_selection(
        &mut self,
        filter: &RecordFilter,
    ) -> Result<Option<RecordSelection>, RowsError> {
        let mut signals = Vec::new();
        for signal in Signal::RECORDS {
            let is_selected = filter.signals.is_empty() || filter.signals.contains(&signal);
            let word = self.find_word(signal.name()).await?;
            if is_selected && word != NO_WORD {
                signals.push((word, signal.name()));
            }
        }
        let statuses = self.find_words(&filter.statuses).await?;
        let severities = self.find_words(&filter.severities).await?;
        let is_unknown = |names: &[String], words: &[Word]| words.is_empty() && !names.is_empty();
        if signals.is_empty()
            || is_unknown(&filter.statuses, &statuses)
            || is_unknown(&filter.severities, &severities)
        {
            return Ok(None);
        }
        let always = UnixNanos(0)..UnixNanos(u64::MAX);
        Ok(Some(RecordSelection {
            signals,
            statuses,
            severities,
            opened: filter.opened.clone().unwrap_or(always),
            is_open: filter.is_open,
        }))
    }

    /// Returns records of the selection after a cursor: at least `limit`, or all if there are fewer.
    async fn records_by_status(
        &mut self,
        selection: &RecordSelection,
        after: Option<&RecordCursor>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let any = [NO_WORD];
        let or_any = |words: &'_ [Word]| match words.is_empty() {
            true => any.to_vec(),
            false => words
                .iter()
                .copied()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        };
        let (statuses, severities) = (or_any(&selection.statuses), or_any(&selection.severities));
        let mut found = Vec::new();
        for (signal, _) in &selection.signals {
            for status in &statuses {
                for severity in &severities {
                    let page = RecordQuery {
                        signal: *signal,
                        status: *status,
                        severity: *severity,
                        is_open: selection.is_open,
                        opened: selection.opened.clone(),
                        from: after.map(|(opened, id, _)| (*opened, id.clone())),
                        // The page may include the record of the cursor itself.
                        limit: limit.saturating_add(1),
                    };
                    found.extend(self.rows.record_page(&page).await?);
                }
            }
        }
        Ok(selection.in_order(found, after))
    }

    /// Returns records of the selection that name one of the uids, after a cursor: at least `limit`, or all if there
    /// are fewer.
    async fn records_by_uid(
        &mut self,
        uids: &[String],
        selection: &RecordSelection,
        after: Option<&RecordCursor>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let signals: Vec<Word> = selection.signals.iter().map(|(word, _)| *word).collect();
        let from = selection.opened.start;
        let mut to = selection.opened.end;
        if let Some((opened, ..)) = after {
            to = to.min(UnixNanos(opened.0.saturating_add(1)));
        }
        let mut found: Vec<RecordRow> = Vec::new();
        let mut size = limit.saturating_add(1).max(PAGE);
        loop {
            let page = self.rows.records_of(uids, &signals, from, to, size).await?;
            let is_last = page.len() < size;
            let last = page.last().map(|row| row.opened);
            // The page may lack records that opened at the same time as its last one. So it is used without the records
            // of that time, and the next page begins with them.
            let whole = page
                .into_iter()
                .filter(|row| is_last || Some(row.opened) != last);
            let whole: Vec<RecordRow> = whole.collect();
            let is_stuck = whole.is_empty();
            found.extend(selection.in_order(whole, after));
            if is_last || found.len() >= limit {
                return Ok(found);
            }
            match is_stuck {
                true => size = size.saturating_mul(2),
                false => to = UnixNanos(last.unwrap_or_default().0.saturating_add(1)),
            }
        }
    }

    /// Converts a row; `None` if this version does not know the signal.
    fn record(&self, row: RecordRow) -> Option<Record> {
        let text = |word| self.words.owned_text(word);
        Some(Record {
            signal: self.words.text(row.signal).parse().ok()?,
            id: row.id,
            opened: row.opened,
            time: row.time,
            source: text(row.source).unwrap_or_default(),
            uid: row.uid,
            names: row.names,
            status: text(row.status),
            severity: text(row.severity),
            resolved: row.resolved,
            columns: serde_json::from_str(&row.columns).unwrap_or_default(),
            impact: row.impact.map(|impact| {
                let parsed = serde_json::from_str(&impact);
                parsed.unwrap_or(Json::String(impact))
            }),
        })
    }
}

impl RecordSelection {
    /// Returns the position of a record.
    fn cursor(&self, row: &RecordRow) -> RecordCursor {
        let mut signals = self.signals.iter();
        let name = signals.find(|(word, _)| *word == row.signal);
        let name = name.map_or("", |(_, name)| name);
        (row.opened, row.id.clone(), name.to_owned())
    }

    /// Returns the rows that match and follow a cursor, newest first.
    fn in_order(&self, rows: Vec<RecordRow>, after: Option<&RecordCursor>) -> Vec<RecordRow> {
        let mut rows = rows;
        rows.retain(|row| {
            let is_selected_word =
                |word: Word, selection: &[Word]| selection.is_empty() || selection.contains(&word);
            is_selected_word(row.status, &self.statuses)
                && is_selected_word(row.severity, &self.severities)
                && self
                    .is_open
                    .is_none_or(|open| open == row.resolved.is_none())
                && after.is_none_or(|after| self.cursor(row) < *after)
        });
        rows.sort_by_cached_key(|row| Reverse(self.cursor(row)));
        rows
    }
}

fn encode_cursor((opened, id, signal): &RecordCursor) -> String {
    format!("{}/{signal}/{id}", opened.0)
}

fn parse_cursor(cursor: &str) -> Option<RecordCursor> {
    let (opened, rest) = cursor.split_once('/')?;
    let (signal, id) = rest.split_once('/')?;
    Some((
        UnixNanos(opened.parse().ok()?),
        id.to_owned(),
        signal.to_owned(),
    ))
}
