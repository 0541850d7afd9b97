//! Edges and aliases: the members of new sets, and what was seen by itself.

use std::collections::HashSet;

use pipeline::facts::{Alias, Relation};
use pipeline::graph_store::Commit;
use sqlx::{Row as _, SqliteConnection};

use super::super::bulk::{Upsert, json_list};
use super::super::rows::signed;
use super::facts::Set;

const RELATIONS: Upsert = Upsert {
    head: "INSERT INTO relations (uid, kind, to_uid, source, set_hash, confidence, properties, first_seen, last_seen)",
    columns: 9,
    // Of what is said at one time the greater counts, so that the order in which it comes does not.
    tail: "ON CONFLICT DO UPDATE SET \
           properties = CASE WHEN (excluded.last_seen, coalesce(excluded.properties, x'')) \
               > (last_seen, coalesce(properties, x'')) THEN excluded.properties ELSE properties END, \
           confidence = max(confidence, excluded.confidence), \
           first_seen = min(first_seen, excluded.first_seen), \
           last_seen = max(last_seen, excluded.last_seen)",
};

const ALIASES: Upsert = Upsert {
    head: "INSERT INTO aliases (uid, kind, value, scope, source, set_hash, valid_from, valid_to, first_seen, last_seen)",
    columns: 10,
    tail: "ON CONFLICT DO UPDATE SET \
           valid_from = CASE WHEN (excluded.last_seen, coalesce(excluded.valid_from, -1)) \
               > (last_seen, coalesce(valid_from, -1)) THEN excluded.valid_from ELSE valid_from END, \
           valid_to = CASE WHEN (excluded.last_seen, coalesce(excluded.valid_to, -1)) \
               > (last_seen, coalesce(valid_to, -1)) THEN excluded.valid_to ELSE valid_to END, \
           first_seen = min(first_seen, excluded.first_seen), \
           last_seen = max(last_seen, excluded.last_seen)",
};

const KNOWN: &str = "SELECT DISTINCT uid, kind, to_uid FROM relations \
                     WHERE uid IN (SELECT value FROM json_each(?1))";

pub(super) async fn write_relations(
    connection: &mut SqliteConnection,
    relations: &[Relation<'_>],
    new_sets: &HashSet<Set<'_>>,
    news: &mut Commit,
) -> Result<(), sqlx::Error> {
    let is_new = |relation: &&Relation<'_>| {
        let set = (
            relation.uid.as_ref(),
            relation.source.as_ref(),
            relation.set,
        );
        relation.set == 0 || new_sets.contains(&set)
    };
    let new: Vec<&Relation<'_>> = relations.iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(());
    }
    announce(connection, &new, news).await?;
    RELATIONS
        .run(connection, &new, |values, relation| {
            values
                .add(relation.uid.as_ref())
                .add(relation.kind.as_ref())
                .add(relation.to.as_ref())
                .add(relation.source.as_ref())
                .add(signed(relation.set))
                .add(relation.confidence)
                .add(relation.properties.as_deref())
                .add(relation.first_seen.timestamp())
                .add(relation.last_seen.timestamp());
        })
        .await
}

/// An edge is news where nobody has told it before.
async fn announce(
    connection: &mut SqliteConnection,
    relations: &[&Relation<'_>],
    news: &mut Commit,
) -> Result<(), sqlx::Error> {
    let uids: HashSet<&str> = relations
        .iter()
        .map(|relation| relation.uid.as_ref())
        .collect();
    let rows = sqlx::query(KNOWN)
        .bind(json_list(uids))
        .fetch_all(connection)
        .await?;
    let mut known: HashSet<(String, String, String)> = HashSet::new();
    for row in rows {
        known.insert((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    }
    for relation in relations {
        let edge = (
            relation.uid.clone().into_owned(),
            relation.kind.clone().into_owned(),
            relation.to.clone().into_owned(),
        );
        if known.insert(edge.clone()) {
            news.edges.push(edge);
        }
    }
    Ok(())
}

pub(super) async fn write_aliases(
    connection: &mut SqliteConnection,
    aliases: &[Alias<'_>],
    new_sets: &HashSet<Set<'_>>,
) -> Result<(), sqlx::Error> {
    let is_new = |alias: &&Alias<'_>| {
        let set = (alias.uid.as_ref(), alias.source.as_ref(), alias.set);
        alias.set == 0 || new_sets.contains(&set)
    };
    let new: Vec<&Alias<'_>> = aliases.iter().filter(is_new).collect();
    ALIASES
        .run(connection, &new, |values, alias| {
            values
                .add(alias.uid.as_ref())
                .add(alias.kind.as_ref())
                .add(alias.value.as_ref())
                .add(alias.scope.as_ref())
                .add(alias.source.as_ref())
                .add(signed(alias.set))
                .add(alias.valid_from.map(|time| time.timestamp()))
                .add(alias.valid_to.map(|time| time.timestamp()))
                .add(alias.first_seen.timestamp())
                .add(alias.last_seen.timestamp());
        })
        .await
}
