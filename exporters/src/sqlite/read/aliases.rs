//! Other names of a uid.

use std::collections::{BTreeSet, HashMap};

use pipeline::component::UnixNanos;
use pipeline::facts::group;
use pipeline::graph_store::{At, OtherName};
use pipeline::schema::aliases::kind;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::super::bulk::json_list;
use super::super::reader::Session;
use super::super::rows::{hash, text};
use super::facts::{Facts, NewestSets, Part};

const BY_VALUE: &str = "SELECT * FROM aliases WHERE value IN (SELECT value FROM json_each(?1))";

const BY_UID: &str = "SELECT * FROM aliases WHERE uid IN (SELECT value FROM json_each(?1))";

const SAME_AS: &str = "SELECT * FROM aliases \
     WHERE kind = 'same_as' AND value IN (SELECT value FROM json_each(?1)) UNION \
     SELECT * FROM aliases \
     WHERE kind = 'same_as' AND uid IN (SELECT value FROM json_each(?1))";

const IS_KNOWN: &str = "SELECT named.value FROM json_each(?1) AS named WHERE \
     EXISTS (SELECT 1 FROM facts WHERE facts.uid = named.value) \
     OR EXISTS (SELECT 1 FROM relations WHERE relations.uid = named.value) \
     OR EXISTS (SELECT 1 FROM relations WHERE relations.to_uid = named.value)";

struct Alias {
    uid: String,
    name: OtherName,
}

/// The other names of each of these very uids.
pub(in super::super) async fn aliases_of(
    session: &mut Session<'_>,
    uids: &[String],
    at: At,
) -> Result<Vec<Vec<OtherName>>, sqlx::Error> {
    let list = json_list(uids.iter().map(String::as_str));
    let mut of: HashMap<String, BTreeSet<OtherName>> = HashMap::new();
    for alias in aliases(session, BY_UID, list, at).await? {
        of.entry(alias.uid).or_default().insert(alias.name);
    }
    let names = uids.iter().map(|uid| of.get(uid).cloned());
    let names = names.map(|names| names.unwrap_or_default().into_iter().collect());
    Ok(names.collect())
}

/// Those aliases that hold at the moment.
async fn aliases(
    session: &mut Session<'_>,
    sql: &'static str,
    names: String,
    at: At,
) -> Result<Vec<Alias>, sqlx::Error> {
    let rows = sqlx::query(sql)
        .bind(names)
        .fetch_all(session.connection())
        .await?;
    let mut uids = Vec::with_capacity(rows.len());
    for row in &rows {
        uids.push(text(row, "uid")?);
    }
    let facts = Facts::of(session, uids.iter().map(String::as_str), Part::Keys, at).await?;
    let sets = facts.newest_sets(group::ALIASES, at);
    let mut found = Vec::new();
    for (row, uid) in rows.iter().zip(uids) {
        if is_valid(row, at)? && is_current(row, &uid, &sets, at)? {
            found.push(Alias {
                uid,
                name: name(row)?,
            });
        }
    }
    Ok(found)
}

fn name(row: &SqliteRow) -> Result<OtherName, sqlx::Error> {
    let scope = text(row, "scope")?;
    let moment = |column| -> Result<Option<UnixNanos>, sqlx::Error> {
        let nanos: Option<i64> = row.try_get(column)?;
        Ok(nanos.map(|nanos| UnixNanos(u64::try_from(nanos).unwrap_or_default())))
    };
    Ok(OtherName {
        kind: text(row, "kind")?,
        value: text(row, "value")?,
        scope: (!scope.is_empty()).then_some(scope),
        valid_from: moment("valid_from")?,
        valid_to: moment("valid_to")?,
    })
}

pub(super) fn is_valid(row: &SqliteRow, at: At) -> Result<bool, sqlx::Error> {
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
pub(super) fn is_current(
    row: &SqliteRow,
    uid: &str,
    sets: &NewestSets<'_>,
    at: At,
) -> Result<bool, sqlx::Error> {
    let set = hash(row, "set_hash")?;
    if set == 0 {
        let first: i64 = row.try_get("first_seen")?;
        return Ok(match at {
            At::Now => true,
            At::Time(time) => first <= time.timestamp(),
        });
    }
    let source = text(row, "source")?;
    let newest = sets.get(uid).and_then(|sets| sets.get(source.as_str()));
    Ok(newest.is_some_and(|(hash, ..)| *hash == set))
}

/// A name is first a uid, then an alias of what lives, then of what has ended last.
pub(in super::super) async fn resolve(
    session: &mut Session<'_>,
    names: &[String],
    at: At,
) -> Result<Vec<Vec<String>>, sqlx::Error> {
    let list = json_list(names.iter().map(String::as_str));
    let found = aliases(session, BY_VALUE, list.clone(), at).await?;
    let known: Vec<String> = sqlx::query_scalar(IS_KNOWN)
        .bind(list)
        .fetch_all(session.connection())
        .await?;
    let ends = Facts::of(
        session,
        found.iter().map(|alias| alias.uid.as_str()),
        Part::Keys,
        at,
    )
    .await?;
    let resolve = |name: &String| {
        let of_name = || found.iter().filter(|alias| alias.name.value == *name);
        let is_alive = |alias: &&Alias| !ends.has_ended(&alias.uid, at);
        let same = || of_name().filter(|alias| alias.name.kind == kind::SAME_AS);
        // The last owner keeps a name until another has it.
        let owners: Vec<&Alias> = match same().any(|alias| is_alive(&alias)) {
            true => same().filter(is_alive).collect(),
            false => same().collect(),
        };
        if !owners.is_empty() {
            return unique(owners.iter().map(|alias| alias.uid.clone()).collect());
        }
        if known.contains(name) {
            return vec![name.clone()];
        }
        let alive = of_name().filter(is_alive);
        let alive = unique(alive.map(|alias| alias.uid.clone()).collect());
        if !alive.is_empty() {
            return alive;
        }
        let ended = |uid: &String| Some((ends.current(uid, at)?.ended?, uid.clone()));
        let last = of_name().filter_map(|alias| ended(&alias.uid)).max();
        last.into_iter().map(|(_, uid)| uid).collect()
    };
    let mut resolved: Vec<Vec<String>> = names.iter().map(resolve).collect();
    // What a name leads to may itself be another name of something.
    let uids = resolved.iter().flatten().map(String::as_str);
    let same = SameAs::of(session, uids, at).await?;
    for uids in &mut resolved {
        for uid in uids.iter_mut() {
            *uid = same.canonical(uid).to_owned();
        }
        *uids = unique(std::mem::take(uids));
    }
    Ok(resolved)
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
        session: &mut Session<'_>,
        uids: impl IntoIterator<Item = &'u str>,
        at: At,
    ) -> Result<SameAs, sqlx::Error> {
        let mut found = aliases(session, SAME_AS, json_list(uids), at).await?;
        let owners = found.iter().map(|alias| alias.uid.as_str());
        let facts = Facts::of(session, owners, Part::Keys, at).await?;
        // Where several resources claim one name, one that lives has it, and always the same.
        found.sort_by_cached_key(|alias| (facts.has_ended(&alias.uid, at), alias.uid.clone()));
        let mut same = SameAs::default();
        for alias in found {
            same.canonical.entry(alias.name.value).or_insert(alias.uid);
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
