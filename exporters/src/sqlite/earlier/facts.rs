//! `earlier_facts`: each is reported when it was first and when it was last seen.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pipeline::claims::{By, Class, Removal};
use pipeline::component::UnixNanos;
use pipeline::reports::{
    AliasItem, Content, DeleteEvent, EdgeItem, Items, Removed, ReportBatch, Sighting, Snapshot,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::scans::Scan;
use super::{texts, unsigned};

/// Moments that are read and written together.
const PAGE: i64 = 4000;

const MOMENTS: &str = "CREATE TEMP TABLE moments AS SELECT time, fact FROM ( \
     SELECT first_seen AS time, rowid AS fact FROM earlier_facts \
     UNION SELECT last_seen, rowid FROM earlier_facts) ORDER BY time, fact";
const NEXT: &str =
    "SELECT rowid, time, fact FROM moments WHERE rowid > ?1 AND time <= ?2 ORDER BY rowid LIMIT ?3";
const FACTS: &str = include_str!("../sql/earlier_facts.sql");
const EDGES: &str = "SELECT uid, source, set_hash, kind, to_uid, confidence, properties FROM earlier_relations \
     WHERE set_hash <> 0 AND uid IN (SELECT value FROM json_each(?1))";
const ALIASES: &str = "SELECT uid, source, set_hash, kind, value, scope, valid_from, valid_to \
     FROM earlier_aliases WHERE set_hash <> 0 AND uid IN (SELECT value FROM json_each(?1))";

/// The hash of what had ended.
const ENDED: u64 = 0;

type ScanKey = (Class, Arc<str>, Arc<str>, UnixNanos);

/// A place in the facts, in the order of their times.
pub(super) struct Facts {
    after: i64,
    scans: HashSet<ScanKey>,
    /// Rows that cannot be kept.
    pub(super) rejected: usize,
}

/// Some moments, and all that they speak of.
pub(super) struct Page {
    moments: Vec<(UnixNanos, usize)>,
    facts: Vec<Fact>,
    edges: HashMap<SetKey, Vec<Edge>>,
    aliases: HashMap<SetKey, Vec<Alias>>,
    /// Of each moment, whether a scan began then.
    is_scan: Vec<bool>,
    pub(super) is_last: bool,
}

/// Uid, source, hash.
type SetKey = (String, String, u64);

struct Fact {
    uid: String,
    group: String,
    source: String,
    scope: String,
    hash: u64,
    words: [Option<String>; 5],
    tags: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    /// Whether the same source and scope also said how it is.
    has_actual: bool,
    /// Of a set, the scopes of the facts of which it is a part.
    scopes: Vec<String>,
}

struct Edge {
    kind: String,
    to: String,
    confidence: f64,
    properties: Option<Vec<u8>>,
}

struct Alias {
    kind: String,
    value: String,
    within: String,
    valid_from: Option<UnixNanos>,
    valid_to: Option<UnixNanos>,
}

impl Facts {
    pub(super) async fn open(
        connection: &mut SqliteConnection,
        scans: &[Scan],
    ) -> Result<Facts, sqlx::Error> {
        sqlx::query("DROP TABLE IF EXISTS temp.moments")
            .execute(&mut *connection)
            .await?;
        sqlx::query(MOMENTS).execute(connection).await?;
        let key = |scan: &Scan| {
            (
                scan.class,
                scan.source.clone(),
                scan.scope.clone(),
                scan.began,
            )
        };
        Ok(Facts {
            after: 0,
            scans: scans.iter().map(key).collect(),
            rejected: 0,
        })
    }

    /// The next moments, none later than `until`.
    pub(super) async fn page(
        &mut self,
        connection: &mut SqliteConnection,
        until: UnixNanos,
    ) -> Result<Page, sqlx::Error> {
        let rows = sqlx::query(NEXT)
            .bind(self.after)
            .bind(i64::try_from(until.0).unwrap_or(i64::MAX))
            .bind(PAGE)
            .fetch_all(&mut *connection)
            .await?;
        let is_last = (rows.len() as i64) < PAGE;
        let mut moments: Vec<(UnixNanos, i64)> = Vec::with_capacity(rows.len());
        for row in &rows {
            self.after = row.try_get(0)?;
            moments.push((time(row, 1)?, row.try_get(2)?));
        }
        let ids: Vec<i64> = moments.iter().map(|(_, fact)| *fact).collect();
        let rows = sqlx::query(FACTS).bind(serde_json::Value::from(ids).to_string());
        let rows = rows.fetch_all(&mut *connection).await?;
        let (mut facts, mut places) = (Vec::new(), HashMap::new());
        for row in &rows {
            places.insert(row.try_get::<i64, _>(0)?, facts.len());
            facts.push(fact(row)?);
        }
        let with_sets = |group: &str| {
            let of_group = facts.iter().filter(|fact: &&Fact| fact.group == group);
            of_group
                .map(|fact| fact.uid.as_str())
                .collect::<HashSet<_>>()
        };
        let edges = sets(connection, EDGES, with_sets("edges"), edge).await?;
        let aliases = sets(connection, ALIASES, with_sets("aliases"), alias).await?;
        let moments: Vec<(UnixNanos, usize)> = moments
            .into_iter()
            .filter_map(|(time, fact)| Some((time, *places.get(&fact)?)))
            .collect();
        let is_scan = moments.iter().map(|(time, fact)| {
            let fact = &facts[*fact];
            let (source, scope) = (fact.source.as_str().into(), fact.scope.as_str().into());
            class(&fact.group)
                .is_some_and(|class| self.scans.contains(&(class, source, scope, *time)))
        });
        Ok(Page {
            is_scan: is_scan.collect(),
            moments,
            facts,
            edges,
            aliases,
            is_last,
        })
    }
}

impl Page {
    /// What its moments report; those that cannot be kept are counted.
    pub(super) fn reports(&self, rejected: &mut usize) -> ReportBatch<'_> {
        let mut reports = ReportBatch::default();
        for ((time, fact), is_scan) in self.moments.iter().zip(&self.is_scan) {
            let fact = &self.facts[*fact];
            if fact.uid.len() > ReportBatch::LONGEST {
                *rejected += 1;
                continue;
            }
            match (fact.group.as_str(), class(&fact.group)) {
                ("edges" | "aliases", _) => self.snapshots(fact, *time, &mut reports),
                (_, Some(class)) => report(fact, class, *time, *is_scan, &mut reports),
                (_, None) => *rejected += 1,
            }
        }
        reports
    }

    fn snapshots<'p>(&'p self, fact: &'p Fact, time: UnixNanos, reports: &mut ReportBatch<'p>) {
        let key = (fact.uid.clone(), fact.source.clone(), fact.hash);
        let items = || match fact.group.as_str() {
            "edges" => {
                let edges = self.edges.get(&key).into_iter().flatten();
                Items::Edges(edges.map(Edge::item).collect())
            }
            _ => {
                let aliases = self.aliases.get(&key).into_iter().flatten();
                Items::Aliases(aliases.map(Alias::item).collect())
            }
        };
        let snapshot = |scope: &'p str, state| Snapshot {
            uid: &fact.uid,
            source: &fact.source,
            scope,
            time,
            state,
            items: items(),
        };
        match fact.scopes.is_empty() {
            true => reports.snapshots.push(snapshot("", None)),
            false => {
                let parts = fact.scopes.iter();
                let parts = parts.map(|scope| snapshot(scope, Some(fact.hash)));
                reports.snapshots.extend(parts);
            }
        }
    }
}

fn report<'p>(
    fact: &'p Fact,
    class: Class,
    time: UnixNanos,
    is_scan: bool,
    reports: &mut ReportBatch<'p>,
) {
    let (uid, source, scope) = (&*fact.uid, &*fact.source, &*fact.scope);
    if fact.hash == ENDED {
        match class == Class::Actual && scope.is_empty() {
            true => reports
                .delete_events
                .push(DeleteEvent { uid, source, time }),
            false => reports.removals.push(Removed {
                uid,
                class,
                source,
                scope,
                time,
                how: Removal::Deleted,
            }),
        }
        return;
    }
    let [kind, name, provider, account, region] = fact.words.each_ref().map(|word| word.as_deref());
    let content = Content {
        kind,
        name,
        provider,
        account,
        region,
        tags: fact.tags.as_deref(),
        value: fact.value.as_deref(),
    };
    let only_exists = fact.group == "lifecycle" && fact.has_actual;
    reports.sightings.push(Sighting {
        uid,
        class,
        source,
        scope,
        time,
        state: if only_exists { 0 } else { fact.hash },
        by: if is_scan { By::Scan } else { By::Row },
        content: (!only_exists).then_some(content),
    });
}

fn class(group: &str) -> Option<Class> {
    match group {
        "lifecycle" | "actual" => Some(Class::Actual),
        "desired" => Some(Class::Desired),
        "telemetry" => Some(Class::Telemetry),
        "health" => Some(Class::Health),
        _ => None,
    }
}

fn fact(row: &SqliteRow) -> Result<Fact, sqlx::Error> {
    let scopes = serde_json::from_str(&row.try_get::<String, _>(14)?);
    Ok(Fact {
        uid: row.try_get(1)?,
        group: row.try_get(2)?,
        source: row.try_get(3)?,
        scope: row.try_get(4)?,
        hash: unsigned(row.try_get(5)?),
        words: [
            row.try_get(6)?,
            row.try_get(7)?,
            row.try_get(8)?,
            row.try_get(9)?,
            row.try_get(10)?,
        ],
        tags: row.try_get(11)?,
        value: row.try_get(12)?,
        has_actual: row.try_get(13)?,
        scopes: scopes.map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}

async fn sets<T>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    uids: HashSet<&str>,
    item: fn(&SqliteRow) -> Result<T, sqlx::Error>,
) -> Result<HashMap<SetKey, Vec<T>>, sqlx::Error> {
    let mut sets: HashMap<SetKey, Vec<T>> = HashMap::new();
    if uids.is_empty() {
        return Ok(sets);
    }
    let rows = sqlx::query(sql).bind(texts(uids));
    for row in &rows.fetch_all(connection).await? {
        let key = (row.try_get(0)?, row.try_get(1)?, unsigned(row.try_get(2)?));
        sets.entry(key).or_default().push(item(row)?);
    }
    Ok(sets)
}

fn edge(row: &SqliteRow) -> Result<Edge, sqlx::Error> {
    Ok(Edge {
        kind: row.try_get(3)?,
        to: row.try_get(4)?,
        confidence: row.try_get(5)?,
        properties: row.try_get(6)?,
    })
}

fn alias(row: &SqliteRow) -> Result<Alias, sqlx::Error> {
    let bound = |column| -> Result<Option<UnixNanos>, sqlx::Error> {
        let nanos: Option<i64> = row.try_get(column)?;
        Ok(nanos.map(|nanos| UnixNanos(nanos.cast_unsigned())))
    };
    Ok(Alias {
        kind: row.try_get(3)?,
        value: row.try_get(4)?,
        within: row.try_get(5)?,
        valid_from: bound(6)?,
        valid_to: bound(7)?,
    })
}

impl Edge {
    fn item(&self) -> EdgeItem<'_> {
        EdgeItem {
            kind: &self.kind,
            to: &self.to,
            confidence: self.confidence,
            properties: self.properties.as_deref(),
        }
    }
}

impl Alias {
    fn item(&self) -> AliasItem<'_> {
        AliasItem {
            kind: &self.kind,
            value: &self.value,
            within: &self.within,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
        }
    }
}

fn time(row: &SqliteRow, column: usize) -> Result<UnixNanos, sqlx::Error> {
    let nanos: i64 = row.try_get(column)?;
    Ok(UnixNanos(nanos.cast_unsigned()))
}
