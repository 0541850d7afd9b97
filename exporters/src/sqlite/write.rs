//! One batch, one transaction.

mod completions;
mod edges;
mod facts;
mod figures;

use pipeline::facts::Told;
use pipeline::graph_store::Commit;
use sqlx::SqlitePool;

/// What is new is told once it is durable; its `sequence` is the caller's.
pub(super) async fn write(writer: &SqlitePool, told: &Told<'_>) -> Result<Commit, sqlx::Error> {
    // A writer from the first statement on: to become one later can fail where another writes.
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let mut news = Commit::default();
    let connection = &mut *transaction;
    let new_sets = facts::write(connection, told, &mut news).await?;
    edges::write_relations(connection, &told.relations, &new_sets, &mut news).await?;
    edges::write_aliases(connection, &told.aliases, &new_sets).await?;
    completions::write(connection, &told.completions, &mut news).await?;
    figures::write_figures(connection, &told.figures).await?;
    figures::write_changes(connection, &told.changes, &mut news).await?;
    transaction.commit().await?;
    news.nodes.sort();
    news.nodes.dedup();
    Ok(news)
}
