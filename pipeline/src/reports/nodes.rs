//! Converts rows of `nodes`. A scan has thousands of rows, so the columns are looked up once for each batch.

use std::sync::Arc;

use arrow_array::types::{TimestampNanosecondType, UInt64Type};
use arrow_array::{Array, BinaryViewArray, PrimitiveArray, StringViewArray};

use super::row::BatchRow;
use super::{DeleteEvent, NodeContent, RemovalReport, ReportBatch, ScanCompletion, Sighting};
use crate::Batch;
use crate::batch::cells::{self, WordColumn, bytes, text, word};
use crate::claims::{ClaimClass, Removal, ReportedBy};
use crate::scan_members::Members;
use crate::schema::nodes::group;
use crate::schema::resources::op;
use crate::schema::{nodes, opening};
use crate::unix_nanos::UnixNanos;

pub(super) fn read<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    let columns = NodeColumns::of(batch);
    reports.sightings.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        let time = cells::time(columns.time, row).unwrap_or(now);
        if !reports.accepts_time(time, now) {
            continue;
        }
        let operation = word(&columns.op, row).unwrap_or_default();
        if operation == op::SCOPE_COMPLETE {
            reports
                .completions
                .push(completion(BatchRow { batch, row }, time));
            continue;
        }
        let Some(uid) = text(columns.uid, row) else {
            reports.rejected.without_uid += 1;
            continue;
        };
        let Some(class) = columns.class(row) else {
            reports.rejected.unknown_group += 1;
            continue;
        };
        if !reports.accepts_name(uid) {
            continue;
        }
        let source = word(&columns.source, row).unwrap_or_default();
        let scope = text(columns.scope, row).unwrap_or_default();
        let how = match operation {
            op::DELETED => Removal::Deleted,
            op::RELEASED => Removal::Released,
            _ => {
                let sighting = columns.sighting(row, uid, class, operation, time);
                add_sighting(reports, sighting);
                continue;
            }
        };
        if class == ClaimClass::Actual && scope.is_empty() && how == Removal::Deleted {
            reports
                .delete_events
                .push(DeleteEvent { uid, source, time });
            continue;
        }
        reports.removals.push(RemovalReport {
            uid,
            class,
            source,
            scope,
            time,
            how,
        });
    }
}

/// Adds a sighting. `nodes` may have two rows for a resource, one with its existence and one with its configuration:
/// they become one sighting.
pub(super) fn add_sighting<'a>(reports: &mut ReportBatch<'a>, sighting: Sighting<'a>) {
    let key = |sighting: &Sighting<'a>| {
        let Sighting { uid, class, .. } = *sighting;
        (uid, class, sighting.source, sighting.scope, sighting.time)
    };
    if let Some(last) = reports.sightings.last_mut()
        && key(last) == key(&sighting)
        && (last.content.is_none() || sighting.content.is_none())
    {
        last.state = last.state.max(sighting.state);
        last.by = last.by.max(sighting.by);
        last.content = last.content.or(sighting.content);
        return;
    }
    reports.sightings.push(sighting);
}

struct NodeColumns<'a> {
    time: &'a PrimitiveArray<TimestampNanosecondType>,
    uid: &'a StringViewArray,
    source: WordColumn<'a>,
    op: WordColumn<'a>,
    group: WordColumn<'a>,
    scope: &'a StringViewArray,
    scan_id: &'a StringViewArray,
    state: &'a PrimitiveArray<UInt64Type>,
    kind: WordColumn<'a>,
    name: &'a StringViewArray,
    provider: WordColumn<'a>,
    account: WordColumn<'a>,
    region: WordColumn<'a>,
    tags: &'a BinaryViewArray,
    value: &'a BinaryViewArray,
}

impl<'a> NodeColumns<'a> {
    fn of(batch: &'a Batch) -> NodeColumns<'a> {
        NodeColumns {
            time: batch.numbers(opening::TIME),
            uid: batch.uid(),
            source: batch.words(opening::SOURCE),
            op: batch.words(nodes::OP),
            group: batch.words(nodes::GROUP),
            scope: batch.text(nodes::SCOPE),
            scan_id: batch.text(nodes::SCAN_ID),
            state: batch.numbers(nodes::STATE),
            kind: batch.words(nodes::KIND),
            name: batch.text(nodes::NAME),
            provider: batch.words(nodes::PROVIDER),
            account: batch.words(nodes::ACCOUNT),
            region: batch.words(nodes::REGION),
            tags: batch.bytes(nodes::TAGS),
            value: batch.bytes(nodes::VALUE),
        }
    }

    fn class(&self, row: usize) -> Option<ClaimClass> {
        match word(&self.group, row)? {
            group::LIFECYCLE | group::ACTUAL => Some(ClaimClass::Actual),
            group::DESIRED => Some(ClaimClass::Desired),
            group::TELEMETRY => Some(ClaimClass::Telemetry),
            group::HEALTH => Some(ClaimClass::Health),
            _ => None,
        }
    }

    fn sighting(
        &self,
        row: usize,
        uid: &'a str,
        class: ClaimClass,
        operation: &str,
        time: UnixNanos,
    ) -> Sighting<'a> {
        let row_state = cells::number(self.state, row);
        let reports_existence_only = word(&self.group, row) == Some(group::LIFECYCLE);
        let content = NodeContent {
            kind: word(&self.kind, row),
            name: text(self.name, row),
            provider: word(&self.provider, row),
            account: word(&self.account, row),
            region: word(&self.region, row),
            tags: bytes(self.tags, row),
            value: bytes(self.value, row).filter(|_| !reports_existence_only),
        };
        Sighting {
            uid,
            class: match operation {
                op::CREATED if class == ClaimClass::Actual => ClaimClass::Created,
                _ => class,
            },
            source: word(&self.source, row).unwrap_or_default(),
            scope: text(self.scope, row).unwrap_or_default(),
            time,
            state: row_state.unwrap_or_else(|| content.hash()),
            by: match self.scan_id.is_valid(row) {
                true => ReportedBy::Scan,
                false => ReportedBy::Row,
            },
            content: match (row_state, reports_existence_only) {
                (Some(_), true) => None,
                _ => Some(content),
            },
        }
    }
}

fn completion(row: BatchRow<'_>, began: UnixNanos) -> ScanCompletion<'_> {
    let members = row.uint64s(nodes::MEMBERS).unwrap_or_default();
    let states = row.uint64s(nodes::MEMBER_STATES).unwrap_or_default();
    let states = states.iter().copied().chain(std::iter::repeat(0));
    ScanCompletion {
        class: match row.word(nodes::GROUP) {
            Some(group::DESIRED) => ClaimClass::Desired,
            _ => ClaimClass::Actual,
        },
        source: row.source(),
        scope: row.text(nodes::SCOPE).unwrap_or_default(),
        began,
        members: Arc::new(Members::new(members.iter().copied().zip(states).collect())),
        miss: match row.word(nodes::MISS) {
            Some(op::RELEASED) => Removal::Released,
            _ => Removal::Deleted,
        },
    }
}
