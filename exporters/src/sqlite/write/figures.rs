//! Figures of edges, which replace each other, and changes, which are for ever.

use std::borrow::Cow;
use std::collections::HashSet;

use pipeline::Signal;
use pipeline::facts::{Change, Figures};
use pipeline::graph_store::{Commit, NewRecord};
use sqlx::SqliteConnection;

use super::super::bulk::{Upsert, json_list};

const FIGURES: Upsert = Upsert {
    head: "INSERT INTO edge_figures (minute, uid, kind, to_uid, connection_type, writer, chunk, calls, errors, \
           duration_sum, duration_max, scale, first_bucket, counts)",
    columns: 14,
    tail: "ON CONFLICT DO UPDATE SET calls = excluded.calls, errors = excluded.errors, \
           duration_sum = excluded.duration_sum, duration_max = excluded.duration_max, scale = excluded.scale, \
           first_bucket = excluded.first_bucket, counts = excluded.counts \
           WHERE (excluded.calls, excluded.errors, excluded.duration_sum, excluded.counts) \
               > (calls, errors, duration_sum, counts)",
};

const CHANGES: Upsert = Upsert {
    head: "INSERT INTO changes (id, time, source, uid, event_name, actor, details)",
    columns: 7,
    tail: "ON CONFLICT DO NOTHING",
};

const CHANGE_UIDS: Upsert = Upsert {
    head: "INSERT INTO change_uids (uid, time, id)",
    columns: 3,
    tail: "ON CONFLICT DO NOTHING",
};

const KNOWN: &str = "SELECT id FROM changes WHERE id IN (SELECT value FROM json_each(?1))";

pub(super) async fn write_figures(
    connection: &mut SqliteConnection,
    figures: &[Figures<'_>],
) -> Result<(), sqlx::Error> {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    FIGURES
        .run(connection, figures, |values, figures| {
            values
                .add(figures.minute.timestamp())
                .add(figures.from.as_ref())
                .add(figures.kind.as_ref())
                .add(figures.to.as_ref())
                .add(figures.connection_type.as_ref())
                .add(figures.writer.as_ref())
                .add(i64::from(figures.chunk))
                .add(whole(figures.calls))
                .add(whole(figures.errors))
                .add(figures.duration_sum)
                .add(figures.duration_max)
                .add(figures.scale)
                .add(figures.offset)
                .add(serde_json::Value::from(figures.counts.clone()).to_string());
        })
        .await
}

pub(super) async fn write_changes(
    connection: &mut SqliteConnection,
    changes: &[Change<'_>],
    news: &mut Commit,
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let ids = changes.iter().map(|change| change.id.as_ref());
    let mut known: HashSet<String> = sqlx::query_scalar(KNOWN)
        .bind(json_list(ids))
        .fetch_all(&mut *connection)
        .await?
        .into_iter()
        .collect();
    let is_new = |change: &&Change<'_>| known.insert(change.id.clone().into_owned());
    let new: Vec<&Change<'_>> = changes.iter().filter(is_new).collect();
    for change in &new {
        news.records.push(NewRecord {
            signal: Signal::Changes.name().to_owned(),
            id: change.id.clone().into_owned(),
            opened: change.time,
            uid: change.uid.clone().map(Cow::into_owned),
            names: change.uids.iter().cloned().map(Cow::into_owned).collect(),
            is_new: true,
            ..NewRecord::default()
        });
    }
    CHANGES
        .run(&mut *connection, &new, |values, change| {
            values
                .add(change.id.as_ref())
                .add(change.time.timestamp())
                .add(change.source.as_ref())
                .add(change.uid.as_deref())
                .add(change.event_name.as_ref())
                .add(change.actor.as_deref())
                .add(change.details.as_str());
        })
        .await?;
    let named = new
        .iter()
        .flat_map(|change| change.uids.iter().map(move |uid| (uid, change)));
    let named: Vec<_> = named.collect();
    CHANGE_UIDS
        .run(connection, &named, |values, (uid, change)| {
            values
                .add(uid.as_ref())
                .add(change.time.timestamp())
                .add(change.id.as_ref());
        })
        .await
}
