//! Rows of `resources`: the same reports as of the `nodes`, `edges` and `aliases` that `graph` makes
//! of them.

use std::sync::Arc;

use super::{
    AliasItem, Completion, Content, DeleteEvent, EdgeItem, Items, Removed, ReportBatch, Sighting,
    Snapshot, nodes,
};
use crate::Batch;
use crate::claims::{By, Class, Removal};
use crate::component::UnixNanos;
use crate::members::Members;
use crate::resource::Observed;
use crate::schema::nodes::group;
use crate::schema::resources::op;

pub(super) fn read<'a>(batch: &'a Batch, now: UnixNanos, reports: &mut ReportBatch<'a>) {
    for row in Observed::of(batch) {
        let time = row.time.unwrap_or(now);
        if !reports.is_past(time, now) {
            continue;
        }
        let class = match row.group {
            group::DESIRED => Class::Desired,
            _ => Class::Actual,
        };
        if row.op == op::SCOPE_COMPLETE {
            reports.completions.push(completion(&row, class, time));
            continue;
        }
        let Some(uid) = row.uid else {
            reports.rejected.without_uid += 1;
            continue;
        };
        if !reports.fits(uid) {
            continue;
        }
        let (source, scope) = (row.source, row.scope.unwrap_or_default());
        let how = match row.op {
            op::DELETED => Removal::Deleted,
            op::RELEASED => Removal::Released,
            _ => {
                nodes::add(reports, sighting(&row, uid, class, time));
                snapshots(&row, uid, time, reports);
                continue;
            }
        };
        if class == Class::Actual && scope.is_empty() && how == Removal::Deleted {
            reports
                .delete_events
                .push(DeleteEvent { uid, source, time });
            continue;
        }
        reports.removals.push(Removed {
            uid,
            class,
            source,
            scope,
            time,
            how,
        });
    }
}

fn completion<'a>(row: &Observed<'a>, class: Class, began: UnixNanos) -> Completion<'a> {
    let members = row.members.unwrap_or_default().iter().copied();
    let states = row.member_states.unwrap_or_default().iter().copied();
    let pairs = members.zip(states.chain(std::iter::repeat(0)));
    Completion {
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

fn sighting<'a>(row: &Observed<'a>, uid: &'a str, class: Class, time: UnixNanos) -> Sighting<'a> {
    let content = Content {
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
            op::CREATED if class == Class::Actual => Class::Created,
            _ => class,
        },
        source: row.source,
        scope: row.scope.unwrap_or_default(),
        time,
        state: row.state.unwrap_or_else(|| content.hash()),
        by: match row.scan_id {
            Some(_) => By::Scan,
            None => By::Row,
        },
        content: Some(content),
    }
}

/// All edges and all aliases, where the row says them.
fn snapshots<'a>(row: &Observed<'a>, uid: &'a str, time: UnixNanos, reports: &mut ReportBatch<'a>) {
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
        Items::Edges(edges.filter(|edge| reports.fits(edge.to)).collect())
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
        Items::Aliases(aliases.filter(|alias| reports.fits(alias.value)).collect())
    });
    for items in relations.into_iter().chain(aliases) {
        reports.snapshots.push(Snapshot {
            uid,
            source: row.source,
            scope: row.scope.unwrap_or_default(),
            time,
            state: row.state,
            items,
        });
    }
}
