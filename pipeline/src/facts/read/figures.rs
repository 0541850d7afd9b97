//! Rows of `edge_figures` and of `changes`.

use super::super::told::{Change, Figures, Told};
use super::row::Row;
use crate::component::UnixNanos;
use crate::schema::{changes, edge_figures};
use crate::{Batch, json_rows};

pub(super) fn figures<'a>(batch: &'a Batch, now: UnixNanos, told: &mut Told<'a>) {
    for row in Row::all(batch) {
        let Some(from) = row.uid() else {
            told.without_uid += 1;
            continue;
        };
        told.figures.push(Figures {
            from,
            kind: row.word(edge_figures::KIND).unwrap_or_default(),
            to: row.text(edge_figures::TO).unwrap_or_default(),
            connection_type: row.word(edge_figures::CONNECTION_TYPE).unwrap_or_default(),
            minute: row.time(now),
            writer: row.text(edge_figures::WRITER).unwrap_or_default(),
            chunk: row.uint32(edge_figures::CHUNK),
            calls: row.uint64(edge_figures::CALLS).unwrap_or_default(),
            errors: row.uint64(edge_figures::ERRORS).unwrap_or_default(),
            duration_sum: row.float(edge_figures::DURATION_SUM),
            duration_max: row.float(edge_figures::DURATION_MAX),
            scale: row.int32(edge_figures::DURATION_SCALE),
            offset: row.int32(edge_figures::DURATION_OFFSET),
            counts: row
                .uint64s(edge_figures::DURATION_COUNTS)
                .unwrap_or_default(),
        });
    }
}

pub(super) fn changes<'a>(batch: &'a Batch, now: UnixNanos, told: &mut Told<'a>) {
    for (row, json) in Row::all(batch).zip(json_rows::to_json(batch)) {
        let uid = row.uid();
        let mut uids: Vec<_> = uid.iter().cloned().collect();
        for other in row.texts(changes::RESOURCES) {
            if !uids.iter().any(|known| *known == other) {
                uids.push(other.into());
            }
        }
        told.changes.push(Change {
            id: row.text(changes::ID).unwrap_or_default(),
            time: row.time(now),
            source: row.source(),
            uids,
            uid,
            event_name: row.text(changes::EVENT_NAME).unwrap_or_default(),
            actor: row.text(changes::ACTOR),
            details: serde_json::Value::Object(json).to_string(),
        });
    }
}
