//! Tells the index of the process which names the resources have.

use pipeline::Batch;
use pipeline::alias_index::AliasIndex;
use pipeline::component::UnixNanos;
use pipeline::resource::Observed;
use pipeline::schema::edges::kind;
use pipeline::schema::nodes::group;
use pipeline::schema::resources::op;

/// Where a row does not say when it was seen, it is `now`.
pub(super) fn tell(batch: &Batch, index: &AliasIndex, now: UnixNanos) {
    let Some(mut writer) = index.writer() else {
        return;
    };
    for row in Observed::of(batch) {
        let Some(uid) = row.uid else { continue };
        let time = row.time.unwrap_or(now);
        match row.op {
            // What is no longer desired may be there all the same.
            op::DELETED if row.group != group::DESIRED => writer.end(uid, time),
            op::OBSERVED => {
                if let Some(aliases) = row.aliases {
                    writer.tell(uid, row.source, time, aliases.aliases());
                }
                if let Some(relations) = row.relations {
                    let points = |(kind, ..): &(&str, _, _, _)| *kind == kind::DNS_POINTS_TO;
                    let targets = relations.relations().filter(points);
                    let targets = targets.map(|(_, to, ..)| to);
                    writer.tell_targets(uid, row.source, time, targets);
                }
            }
            _ => {}
        }
    }
}
