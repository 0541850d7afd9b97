//! Facts that are new.

use std::collections::HashSet;

use pipeline::facts::{Fact, Known, Novelty, Told, group};
use pipeline::graph_store::Commit;
use sqlx::SqliteConnection;

use super::super::bulk::{Upsert, json_list};
use super::super::rows::{Part, fact, signed};

const UPSERT: Upsert = Upsert {
    head: "INSERT INTO facts (uid, grp, source, scope, hash, first_seen, last_seen, kind, name, provider, \
           account, region, tags, value)",
    columns: 14,
    tail: "ON CONFLICT DO UPDATE SET first_seen = min(first_seen, excluded.first_seen), \
           last_seen = max(last_seen, excluded.last_seen)",
};

const KNOWN: &str = "SELECT uid, grp, source, scope, hash, first_seen, last_seen FROM facts \
                     WHERE uid IN (SELECT value FROM json_each(?1))";

/// Uid, source and hash of a set.
pub(super) type Set<'t> = (&'t str, &'t str, u64);

/// Writes what is not known; returns the sets whose members are to be written too.
pub(super) async fn write<'t>(
    connection: &mut SqliteConnection,
    told: &'t Told<'_>,
    news: &mut Commit,
) -> Result<HashSet<Set<'t>>, sqlx::Error> {
    let mut new_sets = HashSet::new();
    if told.facts.is_empty() {
        return Ok(new_sets);
    }
    let mut known = known(connection, &told.facts).await?;
    let mut new: Vec<&Fact<'_>> = Vec::with_capacity(told.facts.len());
    for (fact, scanned) in told.facts.iter().zip(&told.scanned) {
        let novelty = known.novelty(fact, *scanned);
        if novelty == Novelty::Repeats {
            continue;
        }
        if novelty == Novelty::News {
            match fact.group.as_ref() {
                group::ALIASES | group::EDGES => {
                    new_sets.insert((fact.uid.as_ref(), fact.source.as_ref(), fact.hash));
                }
                _ => news.nodes.push(fact.uid.clone().into_owned()),
            }
        }
        known.add(fact);
        new.push(fact);
    }
    upsert(connection, new).await?;
    Ok(new_sets)
}

/// Writes facts as they are: what is known of one takes the least and the greatest of the times.
pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    mut facts: Vec<&Fact<'_>>,
) -> Result<(), sqlx::Error> {
    // Neighbours in the index one after the other.
    facts.sort_unstable_by(|one, other| (&one.uid, &one.group).cmp(&(&other.uid, &other.group)));
    UPSERT
        .run(connection, &facts, |values, fact| {
            let content = &fact.content;
            values
                .add(fact.uid.as_ref())
                .add(fact.group.as_ref())
                .add(fact.source.as_ref())
                .add(fact.scope.as_ref())
                .add(signed(fact.hash))
                .add(fact.first_seen.timestamp())
                .add(fact.last_seen.timestamp())
                .add(content.kind.as_deref())
                .add(content.name.as_deref())
                .add(content.provider.as_deref())
                .add(content.account.as_deref())
                .add(content.region.as_deref())
                .add(content.tags.as_deref())
                .add(content.value.as_deref());
        })
        .await
}

async fn known(
    connection: &mut SqliteConnection,
    facts: &[Fact<'_>],
) -> Result<Known, sqlx::Error> {
    let uids: HashSet<&str> = facts.iter().map(|fact| fact.uid.as_ref()).collect();
    let rows = sqlx::query(KNOWN)
        .bind(json_list(uids))
        .fetch_all(connection)
        .await?;
    let mut known = Known::default();
    for row in &rows {
        known.add(&fact(row, Part::Keys)?);
    }
    Ok(known)
}
