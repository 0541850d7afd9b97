//! Lists of nodes: by the index of the filter that fits the fewest, of words or of texts.

use pipeline::store::rows::{Listing, NO_WORD, NodeId, RowFilter, Word};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::bulk::{json_list, limit as rows_limit};
use super::cells::{Cells, fetch};
use super::texts::{Walk, Wanted};

/// Nodes of a filter that are counted before it is called broad.
const BROAD: i64 = 10_000;

/// Kinds that are walked through one by one; more are looked for among all nodes.
const WORDS: usize = 64;

/// The parameters before those of texts.
const PARAMETERS: usize = 11;

/// Where a list finds its nodes, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// All that are listed.
    Listing,
    /// Those with the word `?10` in a column of `nodes`.
    By(&'static str),
    /// Those with the trigrams `?10` in a text, the rows between `?2` and `?11` of `trigrams`.
    Text,
}

impl Index {
    #[cfg(test)]
    pub(super) const ALL: [Index; 6] = [
        Index::Listing,
        Index::By("kind"),
        Index::By("provider"),
        Index::By("account"),
        Index::By("region"),
        Index::Text,
    ];

    /// What a list of the nodes that fit is made of: tables, what they are restricted to, and their order.
    fn parts(self) -> (String, &'static str, String) {
        let listed = "listing = ?1 AND listing > 0";
        match self {
            Index::Listing => {
                let from = "nodes INDEXED BY nodes_by_listing";
                (from.to_owned(), "id", format!("{listed} AND id > ?2"))
            }
            Index::By(column) => (
                format!("nodes INDEXED BY nodes_by_{column}"),
                "id",
                // The second comparison says that a partial index has the word.
                format!("{listed} AND {column} = ?10 AND {column} > 0 AND id > ?2"),
            ),
            Index::Text => (
                "trigrams CROSS JOIN nodes ON nodes.id = trigrams.rowid & 0xFFFFFFFFFF".to_owned(),
                "trigrams.rowid",
                format!(
                    "trigrams MATCH ?10 AND trigrams.rowid > ?2 AND trigrams.rowid < ?11 AND {listed}"
                ),
            ),
        }
    }

    /// `?1` listing, `?2` after, `?3` limit, `?4` kinds, `?5` provider, `?6` account, `?7` region,
    /// `?8` the time after which a changed node fits, `?10` and `?11` of the index, then texts.
    pub(super) fn list(self, texts: &[Vec<Wanted>]) -> String {
        let (from, order, condition) = self.parts();
        let mut parameter = PARAMETERS;
        let texts = texts.iter().map(|any| {
            let any = any.iter().map(|wanted| {
                parameter += 1;
                wanted.condition(parameter)
            });
            format!(" AND ({})", any.collect::<Vec<String>>().join(" OR "))
        });
        let texts = texts.collect::<String>();
        format!(
            "SELECT pack_rows(id) FROM (SELECT nodes.id FROM {from} WHERE {condition} AND (changed > ?8 OR (\
             (?4 IS NULL OR kind IN (SELECT value FROM json_each(?4))) \
             AND (?5 = 0 OR provider = ?5) AND (?6 = 0 OR account = ?6) \
             AND (?7 = 0 OR region = ?7){texts})) ORDER BY {order} LIMIT ?3)"
        )
    }

    /// Counts up to so many nodes that a list by it would have to read.
    pub(super) fn count(self) -> String {
        let counted = match self {
            Index::Text => "trigrams WHERE trigrams MATCH ?10 AND rowid > ?2 AND rowid < ?11",
            _ => {
                let (from, _, condition) = self.parts();
                &format!("{from} WHERE {condition}")
            }
        };
        format!("SELECT count(*) FROM (SELECT 1 FROM {counted} LIMIT {BROAD})")
    }
}

/// What an index is entered with.
#[derive(Clone, Debug)]
enum Key {
    Word(Word),
    Text(Walk),
}

/// A way to walk through a list: an index, and its keys, each a walk of its own.
struct Way {
    index: Index,
    keys: Vec<Key>,
}

/// A list of one listing after a node.
#[derive(Clone, Copy)]
struct Page {
    listing: Listing,
    after: NodeId,
}

impl Key {
    /// `?2`, `?10` and `?11` of a statement.
    fn values(&self, page: Page) -> (i64, KeyValue<'_>, i64) {
        match self {
            Key::Word(word) => (page.after, KeyValue::Word(*word), 0),
            Key::Text(walk) => {
                let (first, end) = walk.rows(page.after, page.listing == Listing::Current);
                (first, KeyValue::Text(&walk.trigrams), end)
            }
        }
    }
}

#[derive(Clone, Copy)]
enum KeyValue<'k> {
    Word(Word),
    Text(&'k str),
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
    let texts = filter.texts.iter();
    let texts = texts.map(|any| any.iter().map(Wanted::of).collect());
    let texts: Vec<Vec<Wanted>> = texts.collect();
    let way = choose(connection, filter, &texts, &listings, after).await?;
    let sql = way.index.list(&texts);
    let kinds = (!filter.kinds.is_empty()).then(|| json_list(&filter.kinds));
    let changed_after = filter.changed_after.map(|time| time.timestamp());
    let mut found = Vec::new();
    for listing in listings {
        for key in &way.keys {
            let (first, value, end) = key.values(Page { listing, after });
            let mut query = sqlx::query(AssertSqlSafe(sql.clone()))
                .bind(listing as i64)
                .bind(first)
                .bind(rows_limit(limit))
                .bind(&kinds)
                .bind(filter.provider)
                .bind(filter.account)
                .bind(filter.region)
                .bind(changed_after)
                .bind(0);
            query = match value {
                KeyValue::Word(word) => query.bind(word),
                KeyValue::Text(trigrams) => query.bind(trigrams),
            };
            query = query.bind(end);
            for wanted in texts.iter().flatten() {
                query = query.bind(&wanted.pattern);
            }
            let ids = fetch(connection, query).await?;
            found.extend(ids.read(Cells::take::<NodeId>)?);
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(limit);
    Ok(found)
}

async fn choose(
    connection: &mut SqliteConnection,
    filter: &RowFilter,
    texts: &[Vec<Wanted>],
    listings: &[Listing],
    after: NodeId,
) -> Result<Way, sqlx::Error> {
    let mut ways = match filter.changed_after {
        // Indexes do not know what else changed.
        Some(_) => Vec::new(),
        None => ways(filter, texts),
    };
    if ways.is_empty() {
        return Ok(Way {
            index: Index::Listing,
            keys: vec![Key::Word(NO_WORD)],
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

/// By the words and the texts of a filter.
fn ways(filter: &RowFilter, texts: &[Vec<Wanted>]) -> Vec<Way> {
    let mut kinds = filter.kinds.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let columns = [
        ("kind", kinds),
        ("account", vec![filter.account]),
        ("region", vec![filter.region]),
        ("provider", vec![filter.provider]),
    ];
    let by_word = columns
        .into_iter()
        .filter(|(_, words)| (1..=WORDS).contains(&words.len()) && words != &[NO_WORD])
        .map(|(column, words)| Way {
            index: Index::By(column),
            keys: words.into_iter().map(Key::Word).collect(),
        });
    let by_text = texts.iter().filter_map(|any| {
        let walks = any.iter().map(|wanted| wanted.walk().map(Key::Text));
        Some(Way {
            index: Index::Text,
            keys: walks.collect::<Option<Vec<Key>>>()?,
        })
    });
    by_word.chain(by_text).collect()
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
        for key in &way.keys {
            let page = Page {
                listing: *listing,
                after,
            };
            let (first, value, end) = key.values(page);
            let mut query = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(*listing as i64)
                .bind(first);
            for _ in 3..10 {
                query = query.bind(0);
            }
            query = match value {
                KeyValue::Word(word) => query.bind(word),
                KeyValue::Text(trigrams) => query.bind(trigrams),
            };
            let counted: i64 = query.bind(end).fetch_one(&mut *connection).await?;
            nodes += counted;
        }
    }
    Ok(nodes)
}
