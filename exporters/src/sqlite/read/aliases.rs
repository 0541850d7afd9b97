//! Other names of a uid.

use std::collections::HashMap;

use pipeline::component::UnixNanos;
use pipeline::facts::{group, newest_sets};
use pipeline::graph_store::At;
use pipeline::schema::aliases::kind;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::super::bulk::json_list;
use super::super::reader::Reader;
use super::super::rows::{hash, text};
use super::facts::{Facts, Part};

const BY_VALUE: &str = "SELECT uid, kind, value, source, set_hash, valid_from, valid_to, first_seen FROM aliases \
     WHERE value IN (SELECT value FROM json_each(?1))";

const SAME_AS: &str = "SELECT uid, kind, value, source, set_hash, valid_from, valid_to, first_seen FROM aliases \
     WHERE kind = 'same_as' AND value IN (SELECT value FROM json_each(?1)) UNION \
     SELECT uid, kind, value, source, set_hash, valid_from, valid_to, first_seen FROM aliases \
     WHERE kind = 'same_as' AND uid IN (SELECT value FROM json_each(?1))";

const IS_KNOWN: &str = "SELECT named.value FROM json_each(?1) AS named WHERE \
     EXISTS (SELECT 1 FROM facts WHERE facts.uid = named.value) \
     OR EXISTS (SELECT 1 FROM relations WHERE relations.uid = named.value) \
     OR EXISTS (SELECT 1 FROM relations WHERE relations.to_uid = named.value)";

struct Alias {
    uid: String,
    kind: String,
    value: String,
}

/// Those aliases that hold at the moment.
async fn aliases(
    reader: &Reader,
    sql: &'static str,
    names: String,
    at: At,
) -> Result<Vec<Alias>, sqlx::Error> {
    let rows = sqlx::query(sql)
        .bind(names)
        .fetch_all(reader.pool()?)
        .await?;
    let mut uids = Vec::with_capacity(rows.len());
    for row in &rows {
        uids.push(text(row, "uid")?);
    }
    let facts = Facts::of(reader, uids.iter().map(String::as_str), Part::Keys, at).await?;
    let mut found = Vec::new();
    for (row, uid) in rows.iter().zip(uids) {
        if is_valid(row, at)? && is_current(row, &uid, &facts, at)? {
            found.push(Alias {
                uid,
                kind: text(row, "kind")?,
                value: text(row, "value")?,
            });
        }
    }
    Ok(found)
}

fn is_valid(row: &SqliteRow, at: At) -> Result<bool, sqlx::Error> {
    let (from, to): (Option<i64>, Option<i64>) =
        (row.try_get("valid_from")?, row.try_get("valid_to")?);
    let moment = match at {
        At::Now => UnixNanos::now(),
        At::Time(time) => time,
    };
    let moment = moment.timestamp();
    Ok(from.is_none_or(|from| from <= moment) && to.is_none_or(|to| moment < to))
}

/// Seen by itself, or of the newest set that its source tells.
fn is_current(row: &SqliteRow, uid: &str, facts: &Facts, at: At) -> Result<bool, sqlx::Error> {
    let set = hash(row, "set_hash")?;
    if set == 0 {
        let first: i64 = row.try_get("first_seen")?;
        return Ok(match at {
            At::Now => true,
            At::Time(time) => first <= time.timestamp(),
        });
    }
    let Some(facts_of_uid) = facts.of.get(uid) else {
        return Ok(false);
    };
    let newest = newest_sets(facts_of_uid, group::ALIASES, &facts.completions, at);
    let source = text(row, "source")?;
    Ok(newest
        .get(source.as_str())
        .is_some_and(|(hash, ..)| *hash == set))
}

/// A name is first a uid, then an alias. Things that have ended are found only by their uid.
pub(in super::super) async fn resolve(
    reader: &Reader,
    names: &[String],
    at: At,
) -> Result<Vec<Vec<String>>, sqlx::Error> {
    let list = json_list(names.iter().map(String::as_str));
    let found = aliases(reader, BY_VALUE, list.clone(), at).await?;
    let known: Vec<String> = sqlx::query_scalar(IS_KNOWN)
        .bind(list)
        .fetch_all(reader.pool()?)
        .await?;
    let ends = Facts::of(
        reader,
        found.iter().map(|alias| alias.uid.as_str()),
        Part::Keys,
        at,
    )
    .await?;
    let resolve = |name: &String| {
        let of_name = || found.iter().filter(|alias| alias.value == *name);
        let same: Vec<String> = of_name()
            .filter(|alias| alias.kind == kind::SAME_AS)
            .map(|alias| alias.uid.clone())
            .collect();
        if !same.is_empty() {
            return unique(same);
        }
        if known.contains(name) {
            return vec![name.clone()];
        }
        let alive = of_name().filter(|alias| !ends.has_ended(&alias.uid, at));
        unique(alive.map(|alias| alias.uid.clone()).collect())
    };
    Ok(names.iter().map(resolve).collect())
}

fn unique(mut uids: Vec<String>) -> Vec<String> {
    uids.sort();
    uids.dedup();
    uids
}

/// Which uids are other names of which.
#[derive(Default)]
pub(super) struct SameAs {
    canonical: HashMap<String, String>,
}

impl SameAs {
    /// All that concern these uids, from either side.
    pub(super) async fn of<'u>(
        reader: &Reader,
        uids: impl IntoIterator<Item = &'u str>,
        at: At,
    ) -> Result<SameAs, sqlx::Error> {
        let mut found = aliases(reader, SAME_AS, json_list(uids), at).await?;
        // Where two resources claim one name, always the same of them has it.
        found.sort_by(|one, other| one.uid.cmp(&other.uid));
        let mut same = SameAs::default();
        for alias in found {
            same.canonical.entry(alias.value).or_insert(alias.uid);
        }
        Ok(same)
    }

    pub(super) fn canonical<'u>(&'u self, uid: &'u str) -> &'u str {
        self.canonical.get(uid).map_or(uid, String::as_str)
    }

    /// The other names of a canonical uid.
    pub(super) fn names_of<'u>(&'u self, uid: &str) -> impl Iterator<Item = &'u str> {
        let named = self
            .canonical
            .iter()
            .filter(move |(_, canonical)| *canonical == uid);
        named.map(|(name, _)| name.as_str())
    }
}
