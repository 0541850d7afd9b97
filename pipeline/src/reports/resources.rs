//! Converts rows of `resources`. The processor `graph` converts such rows to rows of `nodes`, `edges` and `aliases`,
//! which yield the same reports.

use std::sync::Arc;

use super::{
    AliasItem, DeleteEvent, EdgeItem, NodeContent, RemovalReport, ReportBatch, ScanCompletion,
    Sighting, SnapshotItems, SnapshotReport, nodes,
};
use crate::Batch;
use crate::claims::{ClaimClass, Removal, ReportedBy};
use crate::resource::ResourceRow;
use crate::scan_members::Members;
use crate::schema::nodes::group;
use crate::schema::resources::op;
use crate::unix_nanos::UnixNanos;

pub(super) fn read<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    for row in ResourceRow::all(batch) {
        let time = row.time.unwrap_or(now);
        if !reports.accepts_time(time, now) {
            continue;
        }
        let class = match row.group {
            group::DESIRED => ClaimClass::Desired,
            _ => ClaimClass::Actual,
        };
        if row.op == op::SCOPE_COMPLETE {
            reports.completions.push(completion(&row, class, time));
            continue;
        }
        let Some(uid) = row.uid else {
            reports.rejected.without_uid += 1;
            continue;
        };
        if !reports.accepts_name(uid) {
            continue;
        }
        let (source, scope) = (row.source, row.scope.unwrap_or_default());
        let how = match row.op {
            op::DELETED => Removal::Deleted,
            op::RELEASED => Removal::Released,
            _ => {
                nodes::add_sighting(reports, sighting(&row, uid, class, time));
                add_snapshots(&row, uid, time, reports);
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

fn completion<'a>(
    row: &ResourceRow<'a>,
    class: ClaimClass,
    began: UnixNanos,
) -> ScanCompletion<'a> {
    let members = row.members.unwrap_or_default().iter().copied();
    let states = row.member_states.unwrap_or_default().iter().copied();
    let pairs = members.zip(states.chain(std::iter::repeat(0)));
    ScanCompletion {
        class,
        source: row.source,
        scope: row.scope.unwrap_or_default(),
        began,
        members: Arc::new(Members::new(pairs.collect())),
        miss: match row.miss {
            Some(op::RELEASED) => Removal::Released,
            _ => Removal::Deleted,
        },
    }
}

fn sighting<'a>(
    row: &ResourceRow<'a>,
    uid: &'a str,
    class: ClaimClass,
    time: UnixNanos,
) -> Sighting<'a> {
    let content = NodeContent {
        kind: row.kind,
        name: row.name,
        provider: row.provider,
        account: row.account,
        region: row.region,
        tags: row.tags,
        value: row.configuration,
    };
    Sighting {
        uid,
        class: match row.op {
            op::CREATED if class == ClaimClass::Actual => ClaimClass::Created,
            _ => class,
        },
        source: row.source,
        scope: row.scope.unwrap_or_default(),
        time,
        state: row.state.unwrap_or_else(|| content.hash()),
        by: match row.scan_id {
            Some(_) => ReportedBy::Scan,
            None => ReportedBy::Row,
        },
        content: Some(content),
    }
}

/// Adds the snapshots of edges and aliases, if the row reports them. A create event reports none.
fn add_snapshots<'a>(
    row: &ResourceRow<'a>,
    uid: &'a str,
    time: UnixNanos,
    reports: &mut ReportBatch<'a>,
) {
    if row.op == op::CREATED {
        return;
    }
    let relations = row.relations.clone().map(|relations| {
        let edges = relations.relations();
        let edges = edges.map(|(kind, to, confidence, properties)| EdgeItem {
            kind,
            to,
            confidence,
            properties,
        });
        SnapshotItems::Edges(edges.filter(|edge| reports.accepts_name(edge.to)).collect())
    });
    let aliases = row.aliases.clone().map(|aliases| {
        let aliases = aliases.aliases();
        let aliases = aliases.map(|(kind, value, within)| AliasItem {
            kind,
            value,
            within: within.unwrap_or_default(),
            valid_from: None,
            valid_to: None,
        });
        SnapshotItems::Aliases(
            aliases
                .filter(|alias| reports.accepts_name(alias.value))
                .collect(),
        )
    });
    for items in relations.into_iter().chain(aliases) {
        reports.snapshots.push(SnapshotReport {
            uid,
            source: row.source,
            scope: row.scope.unwrap_or_default(),
            time,
            state: row.state,
            items,
        });
    }
}
