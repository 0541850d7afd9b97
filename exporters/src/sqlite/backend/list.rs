//! Lists of nodes: by the index of the filter that fits the fewest.

use pipeline::store::rows::{Listing, NO_WORD, NodeId, RowFilter, Word};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::bulk::{json_list, limit as rows_limit};

/// The list by the index of all listed nodes; those of the other indexes are made of it.
const LIST: &str = include_str!("../sql/list_nodes.sql");

/// Nodes of a filter that are counted before it is called broad.
const BROAD: i64 = 10_000;

/// Kinds that are walked through one by one; more are looked for among all nodes.
const WORDS: usize = 64;

/// An index of `nodes` that begins with the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    Listing,
    By(&'static str),
}

impl Index {
    #[cfg(test)]
    pub(super) const ALL: [Index; 5] = [
        Index::Listing,
        Index::By("kind"),
        Index::By("provider"),
        Index::By("account"),
        Index::By("region"),
    ];

    pub(super) fn list(self) -> String {
        match self {
            Index::Listing => LIST.to_owned(),
            Index::By(column) => LIST
                .replace("nodes_by_listing", &format!("nodes_by_{column}"))
                .replace("listing > 0", &format!("listing > 0 AND {column} = ?10")),
        }
    }

    /// Counts up to so many nodes that a list by it would have to read.
    pub(super) fn count(self) -> String {
        let (name, condition) = match self {
            Index::Listing => ("listing", String::new()),
            Index::By(column) => (column, format!("AND {column} = ?3")),
        };
        format!(
            "SELECT count(*) FROM (SELECT 1 FROM nodes INDEXED BY nodes_by_{name} \
             WHERE listing = ?1 AND listing > 0 AND id > ?2 {condition} LIMIT {BROAD})"
        )
    }
}

/// A way to walk through a list: an index, and the words of its column, each a walk of its own.
struct Way {
    index: Index,
    words: Vec<Word>,
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    filter: &RowFilter,
    after: NodeId,
    limit: usize,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let mut listings = vec![Listing::Current];
    if filter.with_ended {
        listings.push(Listing::Ended);
    }
    let way = choose(connection, filter, &listings, after).await?;
    let sql = way.index.list();
    let kinds = (!filter.kinds.is_empty()).then(|| json_list(&filter.kinds));
    let text = filter.text.as_deref().filter(|text| !text.is_empty());
    let tags = (!filter.tags.is_empty()).then(|| parts_of_tags(&filter.tags));
    let mut found = Vec::new();
    for listing in listings {
        for word in &way.words {
            let ids: Vec<NodeId> = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(listing as i64)
                .bind(after)
                .bind(rows_limit(limit))
                .bind(&kinds)
                .bind(filter.provider)
                .bind(filter.account)
                .bind(filter.region)
                .bind(text)
                .bind(&tags)
                .bind(word)
                .fetch_all(&mut *connection)
                .await?;
            found.extend(ids);
        }
    }
    found.sort_unstable();
    found.truncate(limit);
    Ok(found)
}

async fn choose(
    connection: &mut SqliteConnection,
    filter: &RowFilter,
    listings: &[Listing],
    after: NodeId,
) -> Result<Way, sqlx::Error> {
    let mut kinds = filter.kinds.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let columns = [
        ("kind", kinds),
        ("account", vec![filter.account]),
        ("region", vec![filter.region]),
        ("provider", vec![filter.provider]),
    ];
    let mut ways: Vec<Way> = columns
        .into_iter()
        .filter(|(_, words)| (1..=WORDS).contains(&words.len()) && words != &[NO_WORD])
        .map(|(column, words)| Way {
            index: Index::By(column),
            words,
        })
        .collect();
    if ways.is_empty() {
        return Ok(Way {
            index: Index::Listing,
            words: vec![NO_WORD],
        });
    }
    let mut best = (0, i64::MAX);
    if ways.len() > 1 {
        for (place, way) in ways.iter().enumerate() {
            let nodes = count(connection, way, listings, after).await?;
            if nodes < best.1 {
                best = (place, nodes);
            }
        }
    }
    Ok(ways.swap_remove(best.0))
}

async fn count(
    connection: &mut SqliteConnection,
    way: &Way,
    listings: &[Listing],
    after: NodeId,
) -> Result<i64, sqlx::Error> {
    let sql = way.index.count();
    let mut nodes = 0;
    for listing in listings {
        for word in &way.words {
            let counted: i64 = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(*listing as i64)
                .bind(after)
                .bind(word)
                .fetch_one(&mut *connection)
                .await?;
            nodes += counted;
        }
    }
    Ok(nodes)
}

/// Texts that stand in the bytes of a node's tags where it has all of these, as a JSON list.
fn parts_of_tags(tags: &[(String, Option<String>)]) -> String {
    // What is written like a number may be one, whose bytes are others.
    let is_text = |value: &&str| serde_json::from_str::<serde_json::Value>(value).is_err();
    let parts = tags.iter().flat_map(|(key, value)| {
        let value = value.as_deref().filter(is_text);
        [Some(key.as_str()), value]
    });
    let parts: Vec<&str> = parts
        .flatten()
        .filter(|part| !part.contains('\0'))
        .collect();
    serde_json::Value::from(parts).to_string()
}
