//! Rows of `nodes`.

use std::sync::Arc;

use super::super::completions::Completion;
use super::super::fact::{Content, Fact, group};
use super::super::members::Members;
use super::super::told::Told;
use super::row::Row;
use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::nodes;
use crate::schema::resources::op;

pub(in super::super) fn nodes<'a>(batch: &'a Batch, now: UnixNanos, told: &mut Told<'a>) {
    for row in Row::all(batch) {
        match row.word(nodes::OP).as_deref() {
            Some(op::SCOPE_COMPLETE) => told.completions.push(completion(row, now)),
            operation => match fact(row, operation == Some(op::DELETED), now) {
                Some((fact, scanned)) => told.fact(fact, scanned),
                None => told.without_uid += 1,
            },
        }
    }
}

fn fact(row: Row<'_>, deleted: bool, now: UnixNanos) -> Option<(Fact<'_>, bool)> {
    let group = row.word(nodes::GROUP).unwrap_or_default();
    let is_existence = group == group::LIFECYCLE;
    let content = match (deleted, is_existence) {
        (true, _) => Content::default(),
        // That a thing exists is the same fact whatever else is known of it.
        (false, true) => Content {
            kind: row.word(nodes::KIND),
            ..Content::default()
        },
        (false, false) => Content {
            kind: row.word(nodes::KIND),
            name: row.text(nodes::NAME),
            provider: row.word(nodes::PROVIDER),
            account: row.word(nodes::ACCOUNT),
            region: row.word(nodes::REGION),
            tags: row.bytes(nodes::TAGS),
            value: row.bytes(nodes::VALUE),
        },
    };
    let state = row.uint64(nodes::STATE).filter(|_| !is_existence);
    let hash = match (deleted, state) {
        (true, _) => Fact::TOMBSTONE,
        (false, Some(state)) => state.max(2),
        (false, None) => content.hash(),
    };
    let scope = row.text(nodes::SCOPE).unwrap_or_default();
    let time = row.time(now);
    let scanned = !scope.is_empty();
    let fact = Fact {
        uid: row.uid()?,
        group,
        source: row.source(),
        scope,
        hash,
        first_seen: time,
        last_seen: time,
        content,
    };
    Some((fact, scanned))
}

fn completion(row: Row<'_>, now: UnixNanos) -> Completion {
    let members = row.uint64s(nodes::MEMBERS).unwrap_or_default();
    let states = row.uint64s(nodes::MEMBER_STATES).unwrap_or_default();
    let states = states.into_iter().chain(std::iter::repeat(0));
    let began = row.time(now);
    Completion {
        scope: row.text(nodes::SCOPE).unwrap_or_default().into_owned(),
        source: row.source().into_owned(),
        group: match row.word(nodes::GROUP).as_deref() {
            Some(group::DESIRED) => group::DESIRED.to_owned(),
            _ => group::ACTUAL.to_owned(),
        },
        first_began: began,
        last_began: began,
        members: Arc::new(Members::new(members.into_iter().zip(states).collect())),
    }
}
