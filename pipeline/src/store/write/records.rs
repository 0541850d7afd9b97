//! Writes records: changes, drift, health, correlations, alerts.
//!
//! The columns of a record and its impact are merged separately, each by last-writer-wins. So a newer row without an
//! impact keeps the stored impact.

use std::collections::BTreeMap;

use super::Transaction;
use crate::component::UnixNanos;
use crate::graph_store::NewRecord;
use crate::hash::hash_of;
use crate::reports::{RecordReport, ReportBatch};
use crate::store::rows::{RecordRow, RowsError, Word, WriteRows};

/// Signal, id, and when this episode of the record was opened.
type RecordRowKey = (Word, String, UnixNanos);

impl<R: WriteRows> Transaction<'_, R> {
    /// Merges the records of a batch into the stored ones, and adds new and changed records to the commit.
    pub(super) async fn write_records(
        &mut self,
        reports: &ReportBatch<'_>,
    ) -> Result<(), RowsError> {
        if reports.records.is_empty() {
            return Ok(());
        }
        let keys: Vec<RecordRowKey> = reports
            .records
            .iter()
            .map(|it| self.record_key(it))
            .collect();
        let stored = self.rows.records(&keys).await?;
        let mut merged: BTreeMap<RecordRowKey, RecordRow> = stored
            .into_iter()
            .map(|row| ((row.signal, row.id.clone(), row.opened), row))
            .collect();
        let mut changed = BTreeMap::new();
        for (record, key) in reports.records.iter().zip(keys) {
            let new = self.record_row(record);
            let row = match merged.get_mut(&key) {
                None => {
                    self.commit.records.push(NewRecord::of(record, true));
                    merged.entry(key.clone()).or_insert(new)
                }
                Some(row) => {
                    if !row.merge(new) {
                        continue;
                    }
                    self.commit.records.push(NewRecord::of(record, false));
                    row
                }
            };
            changed.insert(key, row.clone());
        }
        let rows: Vec<RecordRow> = changed.into_values().collect();
        match rows.is_empty() {
            true => Ok(()),
            false => self.rows.put_records(&rows).await,
        }
    }

    fn record_key(&self, record: &RecordReport<'_>) -> RecordRowKey {
        let signal = self.words.number(record.signal.name());
        (signal, record.id.clone().into_owned(), record.opened)
    }

    fn record_row(&self, record: &RecordReport<'_>) -> RecordRow {
        RecordRow {
            signal: self.words.number(record.signal.name()),
            id: record.id.clone().into_owned(),
            opened: record.opened,
            time: record.time,
            source: self.words.number(record.source),
            uid: record.uid.map(str::to_owned),
            names: record.names.clone(),
            status: self.words.number(record.status),
            severity: self.words.number(record.severity),
            resolved: record.resolved,
            columns: record.columns.clone(),
            impact: record.impact.clone(),
            impact_time: match record.impact {
                Some(_) => record.time,
                None => UnixNanos(0),
            },
        }
    }
}

impl NewRecord {
    fn of(record: &RecordReport<'_>, is_new: bool) -> NewRecord {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        NewRecord {
            signal: record.signal.name().to_owned(),
            id: record.id.clone().into_owned(),
            opened: record.opened,
            uid: record.uid.map(str::to_owned),
            names: record.names.clone(),
            status: text(record.status),
            severity: text(record.severity),
            is_new,
        }
    }
}

impl RecordRow {
    /// Merges another row of the same record, older or newer. Returns whether the record changed. If the times are
    /// equal, the text with the greater hash wins.
    fn merge(&mut self, other: RecordRow) -> bool {
        let rank = |time: UnixNanos, text: &str| (time, hash_of([Some(text.as_bytes())]));
        let impact = |row: &RecordRow| {
            let text = row.impact.as_deref();
            text.map(|text| rank(row.impact_time, text))
        };
        let mut has_changed = false;
        let newer_impact = (impact(&other) > impact(self)).then(|| other.impact.clone());
        if let Some(newer) = newer_impact {
            self.impact = newer;
            self.impact_time = other.impact_time;
            has_changed = true;
        }
        if rank(other.time, &other.columns) > rank(self.time, &self.columns) {
            let (impact, impact_time) = (self.impact.take(), self.impact_time);
            let mut names = std::mem::take(&mut self.names);
            *self = RecordRow {
                impact,
                impact_time,
                ..other
            };
            names.extend(std::mem::take(&mut self.names));
            names.sort_unstable();
            names.dedup();
            self.names = names;
            has_changed = true;
        }
        has_changed
    }
}
