//! All names that lead somewhere now, in pages.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::component::UnixNanos;
use pipeline::facts::{Fact, group};
use pipeline::graph_store::{AliasesPage, At, KnownAlias};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::super::bulk::json_list;
use super::super::reader::Session;
use super::super::rows::{hash, text, time};
use super::aliases::{is_current, is_valid};
use super::facts::{Facts, Part};

const UIDS: &str = "SELECT DISTINCT uid FROM aliases \
     WHERE uid > ?1 AND kind IN (SELECT value FROM json_each(?2)) ORDER BY uid LIMIT ?3";

const NAMES: &str = "SELECT uid, kind, value, scope, source, set_hash, valid_from, valid_to, first_seen \
     FROM aliases WHERE uid IN (SELECT value FROM json_each(?1)) \
     AND kind IN (SELECT value FROM json_each(?2))";

/// Uid, source, kind, value and scope.
type Key = (String, String, String, String, String);

/// The sets of one uid and source that have a name, by their hashes.
type Sets = BTreeMap<Key, BTreeSet<u64>>;

pub(in super::super) async fn names(
    session: &mut Session<'_>,
    kinds: &[&str],
    after: Option<&str>,
    limit: usize,
) -> Result<AliasesPage, sqlx::Error> {
    let kinds = json_list(kinds.iter().copied());
    let uids: Vec<String> = sqlx::query_scalar(UIDS)
        .bind(after.unwrap_or_default())
        .bind(&kinds)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(session.connection())
        .await?;
    let each = || uids.iter().map(String::as_str);
    let rows = sqlx::query(NAMES)
        .bind(json_list(each()))
        .bind(&kinds)
        .fetch_all(session.connection())
        .await?;
    let facts = Facts::of(session, each(), Part::Keys, At::Now).await?;
    let newest = facts.newest_sets(group::ALIASES, At::Now);
    let mut sets = Sets::new();
    for row in &rows {
        sets.entry(key(row)?)
            .or_default()
            .insert(hash(row, "set_hash")?);
    }
    let mut aliases = Vec::new();
    for row in &rows {
        let key = key(row)?;
        let uid = &key.0;
        let holds = is_valid(row, At::Now)? && is_current(row, uid, &newest, At::Now)?;
        if !holds || facts.has_ended(uid, At::Now) {
            continue;
        }
        let of_uid = facts.of.get(uid).map_or(&[][..], Vec::as_slice);
        aliases.push(alias(row, key, of_uid, &sets)?);
    }
    aliases.sort_by(|one, other| (&one.uid, &one.source).cmp(&(&other.uid, &other.source)));
    Ok(AliasesPage {
        aliases,
        last: (uids.len() == limit)
            .then(|| uids.last().cloned())
            .flatten(),
    })
}

fn key(row: &SqliteRow) -> Result<Key, sqlx::Error> {
    Ok((
        text(row, "uid")?,
        text(row, "source")?,
        text(row, "kind")?,
        text(row, "value")?,
        text(row, "scope")?,
    ))
}

fn alias(
    row: &SqliteRow,
    key: Key,
    facts: &[Fact<'_>],
    sets: &Sets,
) -> Result<KnownAlias, sqlx::Error> {
    let is_of_set = hash(row, "set_hash")? != 0;
    let nanos = |column| -> Result<Option<UnixNanos>, sqlx::Error> {
        let nanos: Option<i64> = row.try_get(column)?;
        Ok(nanos.map(|nanos| UnixNanos(u64::try_from(nanos).unwrap_or_default())))
    };
    let since = match sets.get(&key).filter(|_| is_of_set) {
        Some(with_it) => since(facts, &key.1, with_it),
        None => nanos("valid_from")?,
    };
    let first_seen = time(row, "first_seen")?;
    let (uid, source, kind, value, scope) = key;
    Ok(KnownAlias {
        uid,
        source,
        is_of_set,
        kind,
        value,
        scope: Some(scope).filter(|scope| !scope.is_empty()),
        since: since.unwrap_or(first_seen),
        until: nanos("valid_to")?,
    })
}

/// When the source first told the sets that have a name, after the last that had it not.
fn since(facts: &[Fact<'_>], source: &str, with_it: &BTreeSet<u64>) -> Option<UnixNanos> {
    let sets = || {
        let of_source = |fact: &&Fact<'_>| fact.group == group::ALIASES && fact.source == source;
        facts.iter().filter(of_source)
    };
    let without_it = sets().filter(|set| !with_it.contains(&set.hash));
    let broken = without_it.map(|set| set.last_seen).max();
    let with_it = sets().filter(|set| with_it.contains(&set.hash));
    let unbroken = with_it.filter(|set| Some(set.last_seen) > broken);
    // Of a set that was told before the break and again after it, only the last time is known.
    let began = unbroken.map(|set| match Some(set.first_seen) > broken {
        true => set.first_seen,
        false => set.last_seen,
    });
    began.min()
}
