//! The facts of some uids, and the scans that vouch for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use pipeline::component::UnixNanos;
use pipeline::facts::{Completions, Current, Fact, Members, Run, newest_sets};
use pipeline::graph_store::At;
use sqlx::Row as _;

use super::super::bulk::json_list;
use super::super::reader::Session;
pub(super) use super::super::rows::Part;
use super::super::rows::{fact, run, signed, text};

const FACTS: &str = "SELECT uid, grp, source, scope, hash, first_seen, last_seen, kind, name, provider, account, \
     region, tags, value FROM facts WHERE uid IN (SELECT value FROM json_each(?1)) ORDER BY uid";

const WORDS: &str = "SELECT uid, grp, source, scope, hash, first_seen, last_seen, kind, name, provider, account, \
     region FROM facts WHERE uid IN (SELECT value FROM json_each(?1)) ORDER BY uid";

const KEYS: &str = "SELECT uid, grp, source, scope, hash, first_seen, last_seen FROM facts \
     WHERE uid IN (SELECT value FROM json_each(?1)) ORDER BY uid";

const RUNS: &str = include_str!("../sql/runs_of_scopes.sql");

/// Runs of one scope that are looked at: so many times its members have changed.
const NEWEST: i64 = 32;

const MEMBERS: &str =
    "SELECT hash, pairs FROM members WHERE hash IN (SELECT value FROM json_each(?1))";

/// By uid.
pub(super) struct Facts {
    pub(super) of: HashMap<String, Vec<Fact<'static>>>,
    pub(super) completions: Completions,
}

/// By uid and source.
pub(super) type NewestSets<'f> = HashMap<&'f str, BTreeMap<&'f str, (u64, UnixNanos, UnixNanos)>>;

impl Facts {
    pub(super) async fn of<'u>(
        session: &mut Session<'_>,
        uids: impl IntoIterator<Item = &'u str>,
        part: Part,
        at: At,
    ) -> Result<Facts, sqlx::Error> {
        let uids: BTreeSet<&str> = uids.into_iter().collect();
        let mut of: HashMap<String, Vec<Fact<'static>>> = HashMap::new();
        if uids.is_empty() {
            return Ok(Facts {
                of,
                completions: Completions::default(),
            });
        }
        let sql = match part {
            Part::Whole => FACTS,
            Part::Words => WORDS,
            Part::Keys => KEYS,
        };
        let rows = sqlx::query(sql)
            .bind(json_list(uids))
            .fetch_all(session.connection())
            .await?;
        let mut scopes = BTreeSet::new();
        for row in &rows {
            let fact = fact(row, part)?;
            if !fact.scope.is_empty() {
                scopes.insert(fact.scope.clone());
            }
            match of.get_mut(fact.uid.as_ref()) {
                Some(facts) => facts.push(fact),
                None => {
                    of.insert(fact.uid.clone().into_owned(), vec![fact]);
                }
            }
        }
        let scopes = scopes.iter().map(|scope| scope.as_ref());
        let completions = completions(session, scopes, at).await?;
        Ok(Facts { of, completions })
    }

    pub(super) fn current(&self, uid: &str, at: At) -> Option<Current<'_, 'static>> {
        Current::of(self.of.get(uid)?, &self.completions, at)
    }

    /// The newest set that each source tells of each uid: its hash, when it was first and last seen.
    pub(super) fn newest_sets(&self, group: &str, at: At) -> NewestSets<'_> {
        let of = self.of.iter().map(|(uid, facts)| {
            (
                uid.as_str(),
                newest_sets(facts, group, &self.completions, at),
            )
        });
        of.collect()
    }

    /// Whether it is known that the uid does not exist at the moment.
    pub(super) fn has_ended(&self, uid: &str, at: At) -> bool {
        self.current(uid, at)
            .is_some_and(|current| current.ended.is_some())
    }
}

async fn completions<'s>(
    session: &mut Session<'_>,
    scopes: impl Iterator<Item = &'s str>,
    at: At,
) -> Result<Completions, sqlx::Error> {
    let scopes = json_list(scopes);
    let mut completions = Completions::default();
    if scopes == "[]" {
        return Ok(completions);
    }
    let until = match at {
        At::Now => i64::MAX,
        At::Time(time) => time.timestamp(),
    };
    let rows = sqlx::query(RUNS)
        .bind(scopes)
        .bind(until)
        .bind(NEWEST)
        .fetch_all(session.connection())
        .await?;
    let runs: Vec<Run> = rows.iter().map(run).collect::<Result<_, _>>()?;
    let hashes: Vec<i64> = runs.iter().map(|run| signed(run.members)).collect();
    let members = members(session, &hashes).await?;
    for (row, run) in rows.iter().zip(&runs) {
        if let Some(members) = members.get(&signed(run.members)) {
            let scan = (text(row, "scope")?, text(row, "source")?, text(row, "grp")?);
            completions.add(scan, run, members.clone());
        }
    }
    Ok(completions)
}

async fn members(
    session: &mut Session<'_>,
    hashes: &[i64],
) -> Result<HashMap<i64, Arc<Members>>, sqlx::Error> {
    let mut found = HashMap::new();
    let mut missing = Vec::new();
    for &hash in hashes {
        match session.reader.known_members(hash) {
            Some(members) => {
                found.insert(hash, members);
            }
            None => missing.push(hash),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let missing = serde_json::Value::from(missing).to_string();
    let rows = sqlx::query(MEMBERS)
        .bind(missing)
        .fetch_all(session.connection())
        .await?;
    for row in rows {
        let members = Members::from_bytes(row.try_get("pairs")?);
        let members = Arc::new(members.map_err(|error| sqlx::Error::Decode(error.into()))?);
        let hash: i64 = row.try_get("hash")?;
        session.reader.remember_members(hash, members.clone());
        found.insert(hash, members);
    }
    Ok(found)
}
