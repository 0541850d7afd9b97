//! Converts rows of `changes`, `drift`, `health`, `correlations` and `alerts`.

use std::borrow::Cow;

use serde_json::{Map as JsonMap, Value as Json};

use super::row::BatchRow;
use super::{RecordReport, ReportBatch};
use crate::schema::{alerts, changes, correlations, drift, health};
use crate::unix_nanos::UnixNanos;
use crate::{Batch, Signal, json_rows};

/// The column that [`RecordReport::columns`] does not contain.
const IMPACT: &str = "impact";

pub(super) fn read<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    for (row, mut columns) in BatchRow::all(batch).zip(json_rows::to_json(batch)) {
        let time = row.time(now);
        let uid = row.uid();
        if !reports.accepts_time(time, now) || uid.is_some_and(|uid| !reports.accepts_name(uid)) {
            continue;
        }
        let impact = columns.remove(IMPACT).filter(|impact| !impact.is_null());
        let mut record = RecordReport {
            signal: batch.signal(),
            id: Cow::Borrowed(""),
            opened: time,
            time,
            source: row.source(),
            uid,
            names: Vec::new(),
            status: "",
            severity: "",
            resolved: None,
            columns: String::new(),
            impact: impact.map(|impact| impact.to_string()),
        };
        let mut names: Vec<String> = uid.map(str::to_owned).into_iter().collect();
        match batch.signal() {
            Signal::Changes => {
                record.id = row.text(changes::ID).unwrap_or_default().into();
                names.extend(row.texts(changes::RESOURCES).map(str::to_owned));
                names.extend(row.text(changes::ACTOR).map(str::to_owned));
                if row.text(changes::ERROR_CODE).is_some() {
                    record.status = "failed";
                }
            }
            Signal::Drift => {
                record.id = row.text(drift::ID).unwrap_or_default().into();
                record.opened = row.timestamp(drift::FIRST_SEEN).unwrap_or(time);
                record.status = row.word(drift::STATUS).unwrap_or_default();
                record.severity = row.word(drift::SEVERITY).unwrap_or_default();
                record.resolved = (record.status == "resolved").then_some(time);
                let attribution = columns.get("attribution").and_then(Json::as_object);
                names.extend(attribution.and_then(|object| text(object, "actor")));
            }
            Signal::Health => {
                record.id = uid.unwrap_or_default().into();
                record.status = row.word(health::STATE).unwrap_or_default();
                record.resolved = Some(time);
            }
            Signal::Correlations => {
                record.id = row.text(correlations::ID).unwrap_or_default().into();
                names.extend(row.text(correlations::OTHER_UID).map(str::to_owned));
                names.extend(row.texts(correlations::PATH).map(str::to_owned));
                record.resolved = Some(time);
            }
            _ => {
                record.id = row.text(alerts::ID).unwrap_or_default().into();
                record.opened = row.timestamp(alerts::STARTS_AT).unwrap_or(time);
                record.status = row.word(alerts::STATUS).unwrap_or_default();
                record.severity = row.word(alerts::SEVERITY).unwrap_or_default();
                record.resolved = row.timestamp(alerts::ENDS_AT);
            }
        }
        names.retain(|name| name.len() <= ReportBatch::MAX_NAME_BYTES);
        names.sort_unstable();
        names.dedup();
        record.names = names;
        record.columns = Json::Object(columns).to_string();
        reports.records.push(record);
    }
}

fn text(object: &JsonMap<String, Json>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}
