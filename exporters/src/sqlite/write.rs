//! The rows of one batch, in one transaction.

mod completions;
mod edges;
mod facts;
mod figures;

use pipeline::facts::Told;
use pipeline::graph_store::Commit;
use sqlx::SqliteConnection;

/// Runs in a transaction, which the caller commits. What is new has no `sequence` yet.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    told: &Told<'_>,
) -> Result<Commit, sqlx::Error> {
    let mut news = Commit::default();
    let new_sets = facts::write(connection, told, &mut news).await?;
    edges::write_relations(connection, &told.relations, &new_sets, &mut news).await?;
    edges::write_aliases(connection, &told.aliases, &new_sets).await?;
    completions::write(connection, &told.completions, &mut news).await?;
    figures::write_figures(connection, &told.figures).await?;
    figures::write_changes(connection, &told.changes, &mut news).await?;
    news.nodes.sort();
    news.nodes.dedup();
    Ok(news)
}
