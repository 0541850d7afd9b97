//! Replays `earlier_facts`. A fact has the times of its first and of its last report, and each of them becomes a
//! report. A *moment* is one such time with its fact.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pipeline::claims::{ClaimClass, Removal, ReportedBy};
use pipeline::component::UnixNanos;
use pipeline::reports::{
    AliasItem, DeleteEvent, EdgeItem, NodeContent, RemovalReport, ReportBatch, Sighting,
    SnapshotItems, SnapshotReport,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::scans::EarlierScan;
use super::{json_texts, unsigned};

/// The number of moments of a page.
const PAGE_SIZE: i64 = 4000;

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

/// The hash of a fact that reports a deletion.
const ENDED_HASH: u64 = 0;

/// Identifies a scan: class, source, scope, begin.
type ScanKey = (ClaimClass, Arc<str>, Arc<str>, UnixNanos);

/// Reads the facts page by page, in the order of their times.
pub(super) struct FactReader {
    /// The number of the last moment that was read; the next page begins after it.
    after: i64,
    scans: HashSet<ScanKey>,
    /// The number of moments that this version cannot store.
    pub(super) rejected: usize,
}

/// A page of moments, with their facts and the snapshots of these facts.
pub(super) struct FactPage {
    /// Times, each with an index into `facts`.
    moments: Vec<(UnixNanos, usize)>,
    facts: Vec<Fact>,
    edges: HashMap<SnapshotId, Vec<Edge>>,
    aliases: HashMap<SnapshotId, Vec<Alias>>,
    /// For each moment, whether a scan of the fact's scope began at that time.
    is_scan: Vec<bool>,
    pub(super) is_last: bool,
}

/// The key of a snapshot: uid, source, hash.
type SnapshotId = (String, String, u64);

struct Fact {
    uid: String,
    group: String,
    source: String,
    scope: String,
    hash: u64,
    /// Kind, name, provider, account and region.
    cells: [Option<String>; 5],
    tags: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    /// Whether the same source and scope also has a fact of the group `actual`.
    has_actual: bool,
    /// For a fact about edges or aliases, the scopes that reported them together with a state of the node.
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

impl FactReader {
    /// Sorts the facts by their times, in a temporary table.
    pub(super) async fn open(
        connection: &mut SqliteConnection,
        scans: &[EarlierScan],
    ) -> Result<FactReader, sqlx::Error> {
        sqlx::query("DROP TABLE IF EXISTS temp.moments")
            .execute(&mut *connection)
            .await?;
        sqlx::query(MOMENTS).execute(connection).await?;
        let key = |scan: &EarlierScan| {
            (
                scan.class,
                scan.source.clone(),
                scan.scope.clone(),
                scan.began,
            )
        };
        Ok(FactReader {
            after: 0,
            scans: scans.iter().map(key).collect(),
            rejected: 0,
        })
    }

    /// Reads the next moments up to `until`, inclusive.
    pub(super) async fn page(
        &mut self,
        connection: &mut SqliteConnection,
        until: UnixNanos,
    ) -> Result<FactPage, sqlx::Error> {
        let rows = sqlx::query(NEXT)
            .bind(self.after)
            .bind(i64::try_from(until.0).unwrap_or(i64::MAX))
            .bind(PAGE_SIZE)
            .fetch_all(&mut *connection)
            .await?;
        let is_last = (rows.len() as i64) < PAGE_SIZE;
        let mut moments: Vec<(UnixNanos, i64)> = Vec::with_capacity(rows.len());
        for row in &rows {
            self.after = row.try_get(0)?;
            moments.push((time(row, 1)?, row.try_get(2)?));
        }
        let ids: Vec<i64> = moments.iter().map(|(_, fact)| *fact).collect();
        let rows = sqlx::query(FACTS).bind(serde_json::Value::from(ids).to_string());
        let rows = rows.fetch_all(&mut *connection).await?;
        let (mut facts, mut index_by_id) = (Vec::new(), HashMap::new());
        for row in &rows {
            index_by_id.insert(row.try_get::<i64, _>(0)?, facts.len());
            facts.push(fact(row)?);
        }
        let uids_of_group = |group: &str| {
            let of_group = facts.iter().filter(|fact: &&Fact| fact.group == group);
            of_group
                .map(|fact| fact.uid.as_str())
                .collect::<HashSet<_>>()
        };
        let edges = read_snapshots(connection, EDGES, uids_of_group("edges"), edge).await?;
        let aliases = read_snapshots(connection, ALIASES, uids_of_group("aliases"), alias).await?;
        let moments: Vec<(UnixNanos, usize)> = moments
            .into_iter()
            .filter_map(|(time, fact)| Some((time, *index_by_id.get(&fact)?)))
            .collect();
        let is_scan = moments.iter().map(|(time, fact)| {
            let fact = &facts[*fact];
            let (source, scope) = (fact.source.as_str().into(), fact.scope.as_str().into());
            class(&fact.group)
                .is_some_and(|class| self.scans.contains(&(class, source, scope, *time)))
        });
        Ok(FactPage {
            is_scan: is_scan.collect(),
            moments,
            facts,
            edges,
            aliases,
            is_last,
        })
    }
}

impl FactPage {
    /// Converts the moments to reports. Adds the number of those that this version cannot store to `rejected`.
    pub(super) fn reports(&self, rejected: &mut usize) -> ReportBatch<'_> {
        let mut reports = ReportBatch::default();
        for ((time, fact), is_scan) in self.moments.iter().zip(&self.is_scan) {
            let fact = &self.facts[*fact];
            if fact.uid.len() > ReportBatch::MAX_NAME_BYTES {
                *rejected += 1;
                continue;
            }
            match (fact.group.as_str(), class(&fact.group)) {
                ("edges" | "aliases", _) => self.add_snapshots(fact, *time, &mut reports),
                (_, Some(class)) => add_report(fact, class, *time, *is_scan, &mut reports),
                (_, None) => *rejected += 1,
            }
        }
        reports
    }

    /// Adds a snapshot to the reports, once for each scope that has it.
    fn add_snapshots<'p>(&'p self, fact: &'p Fact, time: UnixNanos, reports: &mut ReportBatch<'p>) {
        let key = (fact.uid.clone(), fact.source.clone(), fact.hash);
        let items = || match fact.group.as_str() {
            "edges" => {
                let edges = self.edges.get(&key).into_iter().flatten();
                SnapshotItems::Edges(edges.map(Edge::item).collect())
            }
            _ => {
                let aliases = self.aliases.get(&key).into_iter().flatten();
                SnapshotItems::Aliases(aliases.map(Alias::item).collect())
            }
        };
        let snapshot = |scope: &'p str, state| SnapshotReport {
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

/// Adds a sighting, a removal or a delete event to the reports.
fn add_report<'p>(
    fact: &'p Fact,
    class: ClaimClass,
    time: UnixNanos,
    is_scan: bool,
    reports: &mut ReportBatch<'p>,
) {
    let (uid, source, scope) = (&*fact.uid, &*fact.source, &*fact.scope);
    if fact.hash == ENDED_HASH {
        match class == ClaimClass::Actual && scope.is_empty() {
            true => reports
                .delete_events
                .push(DeleteEvent { uid, source, time }),
            false => reports.removals.push(RemovalReport {
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
    let [kind, name, provider, account, region] = fact.cells.each_ref().map(|cell| cell.as_deref());
    let content = NodeContent {
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
        by: if is_scan {
            ReportedBy::Scan
        } else {
            ReportedBy::Row
        },
        content: (!only_exists).then_some(content),
    });
}

fn class(group: &str) -> Option<ClaimClass> {
    match group {
        "lifecycle" | "actual" => Some(ClaimClass::Actual),
        "desired" => Some(ClaimClass::Desired),
        "telemetry" => Some(ClaimClass::Telemetry),
        "health" => Some(ClaimClass::Health),
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
        cells: [
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

/// Reads the items of all snapshots of these uids.
async fn read_snapshots<T>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    uids: HashSet<&str>,
    item: fn(&SqliteRow) -> Result<T, sqlx::Error>,
) -> Result<HashMap<SnapshotId, Vec<T>>, sqlx::Error> {
    let mut snapshots: HashMap<SnapshotId, Vec<T>> = HashMap::new();
    if uids.is_empty() {
        return Ok(snapshots);
    }
    let rows = sqlx::query(sql).bind(json_texts(uids));
    for row in &rows.fetch_all(connection).await? {
        let key = (row.try_get(0)?, row.try_get(1)?, unsigned(row.try_get(2)?));
        snapshots.entry(key).or_default().push(item(row)?);
    }
    Ok(snapshots)
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
