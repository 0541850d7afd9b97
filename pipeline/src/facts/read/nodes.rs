//! Rows of `nodes`: thousands in a scan, so the columns are found once a batch.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::types::{TimestampNanosecondType, UInt64Type};
use arrow_array::{Array, BinaryViewArray, PrimitiveArray, StringViewArray};

use super::super::completions::Completion;
use super::super::fact::{Content, Fact, group};
use super::super::told::Told;
use super::row::{Row, Words, bytes, text, word};
use crate::Batch;
use crate::component::UnixNanos;
use crate::members::Members;
use crate::schema::resources::op;
use crate::schema::{nodes, opening};

pub(super) fn nodes<'a>(batch: &'a Batch, now: UnixNanos, told: &mut Told<'a>) {
    let columns = Columns::of(batch);
    told.facts.reserve(batch.num_rows());
    told.scanned.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        match word(&columns.op, row) {
            Some(op::SCOPE_COMPLETE) => told.completions.push(completion(Row { batch, row }, now)),
            // Whether it exists is unknown: no fact of this kind says so.
            Some(op::RELEASED) => {}
            operation => match columns.fact(row, operation == Some(op::DELETED), now) {
                Some((fact, scanned)) => told.fact(fact, scanned),
                None => told.without_uid += 1,
            },
        }
    }
}

struct Columns<'a> {
    time: &'a PrimitiveArray<TimestampNanosecondType>,
    uid: &'a StringViewArray,
    source: Words<'a>,
    op: Words<'a>,
    group: Words<'a>,
    scope: &'a StringViewArray,
    state: &'a PrimitiveArray<UInt64Type>,
    kind: Words<'a>,
    name: &'a StringViewArray,
    provider: Words<'a>,
    account: Words<'a>,
    region: Words<'a>,
    tags: &'a BinaryViewArray,
    value: &'a BinaryViewArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a Batch) -> Columns<'a> {
        Columns {
            time: batch.numbers(opening::TIME),
            uid: batch.uid(),
            source: batch.words(opening::SOURCE),
            op: batch.words(nodes::OP),
            group: batch.words(nodes::GROUP),
            scope: batch.text(nodes::SCOPE),
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

    fn fact(&self, row: usize, deleted: bool, now: UnixNanos) -> Option<(Fact<'a>, bool)> {
        let uid = text(self.uid, row)?;
        let group = word(&self.group, row).unwrap_or_default();
        let is_existence = group == group::LIFECYCLE;
        let content = match (deleted, is_existence) {
            (true, _) => Content::default(),
            // That a thing exists is the same fact whatever else is known of it.
            (false, true) => Content {
                kind: word(&self.kind, row).map(Cow::Borrowed),
                ..Content::default()
            },
            (false, false) => Content {
                kind: word(&self.kind, row).map(Cow::Borrowed),
                name: text(self.name, row).map(Cow::Borrowed),
                provider: word(&self.provider, row).map(Cow::Borrowed),
                account: word(&self.account, row).map(Cow::Borrowed),
                region: word(&self.region, row).map(Cow::Borrowed),
                tags: bytes(self.tags, row).map(Cow::Borrowed),
                value: bytes(self.value, row).map(Cow::Borrowed),
            },
        };
        let state = self.state.is_valid(row).then(|| self.state.value(row));
        let hash = match (deleted, state.filter(|_| !is_existence)) {
            (true, _) => Fact::TOMBSTONE,
            (false, Some(state)) => state.max(2),
            (false, None) => content.hash(),
        };
        let time = self.time.is_valid(row).then(|| self.time.value(row));
        let time = time.map_or(now, |time| {
            UnixNanos(u64::try_from(time).unwrap_or_default())
        });
        let scope = text(self.scope, row).unwrap_or_default();
        let fact = Fact {
            uid: uid.into(),
            group: group.into(),
            source: word(&self.source, row).unwrap_or_default().into(),
            scope: scope.into(),
            hash,
            first_seen: time,
            last_seen: time,
            content,
        };
        // A completion vouches for what exists, never for an end.
        Some((fact, !scope.is_empty() && !deleted))
    }
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
        began,
        members: Arc::new(Members::new(members.into_iter().zip(states).collect())),
    }
}
