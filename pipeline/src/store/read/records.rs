//! Pages of records, newest first.
//!
//! ```text
//!  by signal, status and severity: a page of each combination ─┐
//!  by uids: what names them, page by page, filtered ───────────┴─▶ merged by (opened, id, signal)
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::rows::{NO_WORD, ReadRows, RecordPage, RecordRow, RowsError, Word};
use super::session::Session;
use crate::Signal;
use crate::component::UnixNanos;
use crate::graph_store::{Record, RecordFilter, RecordsPage};

/// Records that are looked at together where they are found by their uids, at least.
const PAGE: usize = if cfg!(test) { 2 } else { 100 };

/// Where a record stands in the list: opened, id, signal.
type Place = (UnixNanos, String, String);

/// The words of a filter. Empty lists do not restrict.
struct Wanted {
    /// Of each its name.
    signals: Vec<(Word, &'static str)>,
    statuses: Vec<Word>,
    severities: Vec<Word>,
    opened: std::ops::Range<UnixNanos>,
    is_open: Option<bool>,
}

impl<R: ReadRows> Session<R> {
    pub(super) async fn record_list(
        &mut self,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordsPage, RowsError> {
        let Some(wanted) = self.wanted(filter).await? else {
            return Ok(RecordsPage::default());
        };
        let after = match after.map(parse) {
            None => None,
            Some(Some(place)) => Some(place),
            // No place in any list: nothing follows it.
            Some(None) => return Ok(RecordsPage::default()),
        };
        if limit == 0 {
            return Ok(RecordsPage::default());
        }
        let mut rows = match filter.uids.is_empty() {
            true => self.of_all(&wanted, after.as_ref(), limit).await?,
            false => {
                self.of_uids(&filter.uids, &wanted, after.as_ref(), limit)
                    .await?
            }
        };
        rows.truncate(limit);
        let last = rows.last().filter(|_| rows.len() == limit);
        let last = last.map(|row| cursor(&wanted.place(row)));
        let words = rows.iter();
        let words = words.flat_map(|row| [row.signal, row.source, row.status, row.severity]);
        self.words.read(&mut self.rows, words).await?;
        let records = rows.into_iter().filter_map(|row| self.record(row));
        Ok(RecordsPage {
            records: records.collect(),
            last,
        })
    }

    /// None where no record can fit.
    async fn wanted(&mut self, filter: &RecordFilter) -> Result<Option<Wanted>, RowsError> {
        let mut signals = Vec::new();
        for signal in Signal::RECORDS {
            let is_wanted = filter.signals.is_empty() || filter.signals.contains(&signal);
            let word = self.find_word(signal.name()).await?;
            if is_wanted && word != NO_WORD {
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
        Ok(Some(Wanted {
            signals,
            statuses,
            severities,
            opened: filter.opened.clone().unwrap_or(always),
            is_open: filter.is_open,
        }))
    }

    async fn of_all(
        &mut self,
        wanted: &Wanted,
        after: Option<&Place>,
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
        let (statuses, severities) = (or_any(&wanted.statuses), or_any(&wanted.severities));
        let mut found = Vec::new();
        for (signal, _) in &wanted.signals {
            for status in &statuses {
                for severity in &severities {
                    let page = RecordPage {
                        signal: *signal,
                        status: *status,
                        severity: *severity,
                        is_open: wanted.is_open,
                        opened: wanted.opened.clone(),
                        from: after.map(|(opened, id, _)| (*opened, id.clone())),
                        // One may be that of the place itself.
                        limit: limit.saturating_add(1),
                    };
                    found.extend(self.rows.record_page(&page).await?);
                }
            }
        }
        Ok(wanted.in_order(found, after))
    }

    async fn of_uids(
        &mut self,
        uids: &[String],
        wanted: &Wanted,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, RowsError> {
        let signals: Vec<Word> = wanted.signals.iter().map(|(word, _)| *word).collect();
        let from = wanted.opened.start;
        let mut to = wanted.opened.end;
        if let Some((opened, ..)) = after {
            to = to.min(UnixNanos(opened.0.saturating_add(1)));
        }
        let mut found: Vec<RecordRow> = Vec::new();
        let mut size = limit.saturating_add(1).max(PAGE);
        loop {
            let page = self.rows.records_of(uids, &signals, from, to, size).await?;
            let is_last = page.len() < size;
            let last = page.last().map(|row| row.opened);
            // Those that were opened when the last one was may not all be there.
            let whole = page
                .into_iter()
                .filter(|row| is_last || Some(row.opened) != last);
            let whole: Vec<RecordRow> = whole.collect();
            let is_stuck = whole.is_empty();
            found.extend(wanted.in_order(whole, after));
            if is_last || found.len() >= limit {
                return Ok(found);
            }
            match is_stuck {
                true => size = size.saturating_mul(2),
                false => to = UnixNanos(last.unwrap_or_default().0.saturating_add(1)),
            }
        }
    }

    /// None for a signal that this version does not know.
    fn record(&self, row: RecordRow) -> Option<Record> {
        let text = |word| self.words.owned(word);
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

impl Wanted {
    fn place(&self, row: &RecordRow) -> Place {
        let mut signals = self.signals.iter();
        let name = signals.find(|(word, _)| *word == row.signal);
        let name = name.map_or("", |(_, name)| name);
        (row.opened, row.id.clone(), name.to_owned())
    }

    /// Those that fit and follow a place, newest first.
    fn in_order(&self, rows: Vec<RecordRow>, after: Option<&Place>) -> Vec<RecordRow> {
        let mut rows = rows;
        rows.retain(|row| {
            let is_of = |word: Word, wanted: &[Word]| wanted.is_empty() || wanted.contains(&word);
            is_of(row.status, &self.statuses)
                && is_of(row.severity, &self.severities)
                && self
                    .is_open
                    .is_none_or(|open| open == row.resolved.is_none())
                && after.is_none_or(|after| self.place(row) < *after)
        });
        rows.sort_by_cached_key(|row| Reverse(self.place(row)));
        rows
    }
}

fn cursor((opened, id, signal): &Place) -> String {
    format!("{}/{signal}/{id}", opened.0)
}

fn parse(cursor: &str) -> Option<Place> {
    let (opened, rest) = cursor.split_once('/')?;
    let (signal, id) = rest.split_once('/')?;
    Some((
        UnixNanos(opened.parse().ok()?),
        id.to_owned(),
        signal.to_owned(),
    ))
}
