//! Rows of `edges` and of `aliases`: sets, and what is seen by itself.

use super::super::fact::{Content, Fact, group, hash_of};
use super::super::told::{Alias, Relation, Told};
use super::row::Row;
use super::sets::{Group, groups};
use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::{aliases, edges};

pub(super) fn edges<'a>(batch: &'a Batch, now: UnixNanos, told: &mut Told<'a>) {
    let mut without_uid = 0;
    for group in groups(batch, edges::MODE, now, &mut without_uid) {
        match group {
            Group::Seen(row) => told.relations.extend(relation(row, 0, now)),
            Group::Set(rows) => {
                let parts = |row: &Row<'a>| {
                    let texts = [row.word(edges::KIND), row.text(edges::TO)];
                    let confidence = row.float(edges::CONFIDENCE).to_le_bytes();
                    let texts =
                        texts.map(|text| text.as_deref().map(str::as_bytes).map(<[u8]>::to_vec));
                    let properties = row
                        .bytes(edges::PROPERTIES)
                        .map(std::borrow::Cow::into_owned);
                    let [kind, to] = texts;
                    [kind, to, Some(confidence.to_vec()), properties]
                };
                let (fact, scanned) = set(&rows, group::EDGES, edges::STATE, parts, now);
                let members = rows.iter().filter_map(|row| relation(*row, fact.hash, now));
                told.relations.extend(members);
                told.fact(fact, scanned);
            }
        }
    }
    told.without_uid += without_uid;
}

pub(super) fn aliases<'a>(batch: &'a Batch, now: UnixNanos, told: &mut Told<'a>) {
    let mut without_uid = 0;
    for group in groups(batch, aliases::MODE, now, &mut without_uid) {
        match group {
            Group::Seen(row) => told.aliases.extend(alias(row, 0, now)),
            Group::Set(rows) => {
                let parts = |row: &Row<'a>| {
                    let texts = [
                        row.word(aliases::KIND),
                        row.text(aliases::VALUE),
                        row.text(aliases::WITHIN),
                    ];
                    let [kind, value, scope] =
                        texts.map(|text| text.as_deref().map(str::as_bytes).map(<[u8]>::to_vec));
                    [kind, value, scope, None]
                };
                let (fact, scanned) = set(&rows, group::ALIASES, aliases::STATE, parts, now);
                let members = rows.iter().filter_map(|row| alias(*row, fact.hash, now));
                told.aliases.extend(members);
                told.fact(fact, scanned);
            }
        }
    }
    told.without_uid += without_uid;
}

/// The fact that a set is: named by the state that its rows say, else by what they say.
fn set<'a>(
    rows: &[Row<'a>],
    group: &'static str,
    state: &str,
    parts: impl Fn(&Row<'a>) -> [Option<Vec<u8>>; 4],
    now: UnixNanos,
) -> (Fact<'a>, bool) {
    let first = rows[0];
    let time = first.time(now);
    let state = first.uint64(state);
    let hash = state.map_or_else(
        || {
            let mut members: Vec<_> = rows.iter().map(parts).collect();
            // In which order a source tells them means nothing.
            members.sort();
            hash_of(members.iter().flatten().map(Option::as_deref))
        },
        |state| state.max(2),
    );
    let fact = Fact {
        uid: first.uid().unwrap_or_default(),
        group: group.into(),
        source: first.source(),
        scope: "".into(),
        hash,
        first_seen: time,
        last_seen: time,
        content: Content::default(),
    };
    (fact, state.is_some())
}

/// None for the row that says that a set is empty.
fn relation(row: Row<'_>, set: u64, now: UnixNanos) -> Option<Relation<'_>> {
    let time = row.time(now);
    Some(Relation {
        uid: row.uid()?,
        source: row.source(),
        set,
        kind: row.word(edges::KIND)?,
        to: row.text(edges::TO)?,
        confidence: row.float(edges::CONFIDENCE),
        properties: row.bytes(edges::PROPERTIES),
        first_seen: time,
        last_seen: time,
    })
}

/// None for the row that says that a set is empty.
fn alias(row: Row<'_>, set: u64, now: UnixNanos) -> Option<Alias<'_>> {
    let time = row.time(now);
    Some(Alias {
        uid: row.uid()?,
        source: row.source(),
        set,
        kind: row.word(aliases::KIND)?,
        value: row.text(aliases::VALUE)?,
        scope: row.text(aliases::WITHIN).unwrap_or_default(),
        valid_from: row.timestamp(aliases::VALID_FROM),
        valid_to: row.timestamp(aliases::VALID_TO),
        first_seen: time,
        last_seen: time,
    })
}
