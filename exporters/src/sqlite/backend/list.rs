//! Lists the nodes that match all filters. Each filter is by a word or by texts, and a list reads the index of the
//! filter that the fewest nodes match.

use pipeline::store::rows::{Listing, NO_WORD, NodeId, NodeRowFilter, Word};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::bulk::{json_list, sql_limit};
use super::cells::{CellReader, fetch_packed};
use super::texts::{TextPredicate, TrigramQuery};

/// To choose an index, a list counts at most this many nodes per listing and key.
const MAX_COUNTED: i64 = 10_000;

/// A list can read the index of kinds, once for each kind, if the filter has at most this many kinds. With more kinds,
/// the list reads another index and filters its nodes.
const MAX_KEYS: usize = 64;

/// The number of parameters before those of texts.
const FIXED_PARAMETERS: usize = 11;

/// An index that returns nodes in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeIndex {
    /// All nodes of a listing.
    Listing,
    /// The nodes with the word `?10` in this column of `nodes`.
    Column(&'static str),
    /// The nodes with the trigrams `?10` in a text: rows of `trigrams` between `?2` and `?11`, exclusive.
    Text,
}

impl NodeIndex {
    #[cfg(test)]
    pub(super) const ALL: [NodeIndex; 6] = [
        NodeIndex::Listing,
        NodeIndex::Column("kind"),
        NodeIndex::Column("provider"),
        NodeIndex::Column("account"),
        NodeIndex::Column("region"),
        NodeIndex::Text,
    ];

    /// The parts of a statement that reads the index: tables, order and condition.
    fn parts(self) -> (String, &'static str, String) {
        let listed = "listing = ?1 AND listing > 0";
        match self {
            NodeIndex::Listing => {
                let from = "nodes INDEXED BY nodes_by_listing";
                (from.to_owned(), "id", format!("{listed} AND id > ?2"))
            }
            NodeIndex::Column(column) => (
                format!("nodes INDEXED BY nodes_by_{column}"),
                "id",
                // The second comparison lets SQLite use the partial index.
                format!("{listed} AND {column} = ?10 AND {column} > 0 AND id > ?2"),
            ),
            NodeIndex::Text => (
                "trigrams CROSS JOIN nodes ON nodes.id = trigrams.rowid & 0xFFFFFFFFFF".to_owned(),
                "trigrams.rowid",
                format!(
                    "trigrams MATCH ?10 AND trigrams.rowid > ?2 AND trigrams.rowid < ?11 AND {listed}"
                ),
            ),
        }
    }

    /// The statement that lists nodes. Parameters: `?1` listing, `?2` the row before the page, `?3` limit, `?4` kinds,
    /// `?5` provider, `?6` account, `?7` region. A node that changed after `?8` matches whatever its words and texts
    /// are. `?9` is unused, `?10` and `?11` are described at [`NodeIndex`], and the patterns of texts follow.
    pub(super) fn list(self, texts: &[Vec<TextPredicate>]) -> String {
        let (from, order, condition) = self.parts();
        let mut parameter = FIXED_PARAMETERS;
        let texts = texts.iter().map(|any| {
            let any = any.iter().map(|predicate| {
                parameter += 1;
                predicate.condition(parameter)
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

    /// The statement that counts, up to [`MAX_COUNTED`], the nodes that a list through the index would read.
    pub(super) fn count(self) -> String {
        let counted = match self {
            NodeIndex::Text => "trigrams WHERE trigrams MATCH ?10 AND rowid > ?2 AND rowid < ?11",
            _ => {
                let (from, _, condition) = self.parts();
                &format!("{from} WHERE {condition}")
            }
        };
        format!("SELECT count(*) FROM (SELECT 1 FROM {counted} LIMIT {MAX_COUNTED})")
    }
}

/// What a list seeks in an index.
#[derive(Clone, Debug)]
enum IndexKey {
    Word(Word),
    Text(TrigramQuery),
}

/// A way to read a list: an index and the keys to read, one after the other.
struct AccessPath {
    index: NodeIndex,
    keys: Vec<IndexKey>,
}

/// The nodes of one listing after a node.
#[derive(Clone, Copy)]
struct ListPage {
    listing: Listing,
    after: NodeId,
}

impl IndexKey {
    /// The parameters `?2`, `?10` and `?11` of a statement.
    fn parameters(&self, page: ListPage) -> (i64, KeyParameter<'_>, i64) {
        match self {
            IndexKey::Word(word) => (page.after, KeyParameter::Word(*word), 0),
            IndexKey::Text(query) => {
                let (first, end) = query.row_range(page.after, page.listing == Listing::Current);
                (first, KeyParameter::Text(&query.trigrams), end)
            }
        }
    }
}

/// The parameter `?10`.
#[derive(Clone, Copy)]
enum KeyParameter<'k> {
    Word(Word),
    Text(&'k str),
}

/// The ids of up to `limit` nodes after `after` that match the filter, in order.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    filter: &NodeRowFilter,
    after: NodeId,
    limit: usize,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let mut listings = vec![Listing::Current];
    if filter.include_ended {
        listings.push(Listing::Ended);
    }
    let texts = filter.texts.iter();
    let texts = texts.map(|any| any.iter().map(TextPredicate::new).collect());
    let texts: Vec<Vec<TextPredicate>> = texts.collect();
    let path = choose_access_path(connection, filter, &texts, &listings, after).await?;
    let sql = path.index.list(&texts);
    let kinds = (!filter.kinds.is_empty()).then(|| json_list(&filter.kinds));
    let changed_after = filter.changed_after.map(|time| time.timestamp());
    let mut nodes = Vec::new();
    for listing in listings {
        for key in &path.keys {
            let (first, value, end) = key.parameters(ListPage { listing, after });
            let mut query = sqlx::query(AssertSqlSafe(sql.clone()))
                .bind(listing as i64)
                .bind(first)
                .bind(sql_limit(limit))
                .bind(&kinds)
                .bind(filter.provider)
                .bind(filter.account)
                .bind(filter.region)
                .bind(changed_after)
                .bind(0);
            query = match value {
                KeyParameter::Word(word) => query.bind(word),
                KeyParameter::Text(trigrams) => query.bind(trigrams),
            };
            query = query.bind(end);
            for predicate in texts.iter().flatten() {
                query = query.bind(&predicate.pattern);
            }
            let ids = fetch_packed(connection, query).await?;
            nodes.extend(ids.read(CellReader::take::<NodeId>)?);
        }
    }
    nodes.sort_unstable();
    nodes.dedup();
    nodes.truncate(limit);
    Ok(nodes)
}

/// Chooses the access path with the fewest nodes after `after`.
async fn choose_access_path(
    connection: &mut SqliteConnection,
    filter: &NodeRowFilter,
    texts: &[Vec<TextPredicate>],
    listings: &[Listing],
    after: NodeId,
) -> Result<AccessPath, sqlx::Error> {
    let mut paths = match filter.changed_after {
        // The index of a filter lacks the nodes that match only because they changed.
        Some(_) => Vec::new(),
        None => access_paths(filter, texts),
    };
    if paths.is_empty() {
        return Ok(AccessPath {
            index: NodeIndex::Listing,
            keys: vec![IndexKey::Word(NO_WORD)],
        });
    }
    let mut best = (0, i64::MAX);
    if paths.len() > 1 {
        for (index, path) in paths.iter().enumerate() {
            let nodes = count(connection, path, listings, after).await?;
            if nodes < best.1 {
                best = (index, nodes);
            }
        }
    }
    Ok(paths.swap_remove(best.0))
}

/// The access paths of the words and the texts of a filter.
fn access_paths(filter: &NodeRowFilter, texts: &[Vec<TextPredicate>]) -> Vec<AccessPath> {
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
        .filter(|(_, words)| (1..=MAX_KEYS).contains(&words.len()) && words != &[NO_WORD])
        .map(|(column, words)| AccessPath {
            index: NodeIndex::Column(column),
            keys: words.into_iter().map(IndexKey::Word).collect(),
        });
    let by_text = texts.iter().filter_map(|any| {
        let keys = any
            .iter()
            .map(|predicate| predicate.trigram_query().map(IndexKey::Text));
        Some(AccessPath {
            index: NodeIndex::Text,
            keys: keys.collect::<Option<Vec<IndexKey>>>()?,
        })
    });
    by_word.chain(by_text).collect()
}

/// Counts the nodes that an access path reads, up to [`MAX_COUNTED`] per listing and key.
async fn count(
    connection: &mut SqliteConnection,
    path: &AccessPath,
    listings: &[Listing],
    after: NodeId,
) -> Result<i64, sqlx::Error> {
    let sql = path.index.count();
    let mut nodes = 0;
    for listing in listings {
        for key in &path.keys {
            let page = ListPage {
                listing: *listing,
                after,
            };
            let (first, value, end) = key.parameters(page);
            let mut query = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(*listing as i64)
                .bind(first);
            for _ in 3..10 {
                query = query.bind(0);
            }
            query = match value {
                KeyParameter::Word(word) => query.bind(word),
                KeyParameter::Text(trigrams) => query.bind(trigrams),
            };
            let counted: i64 = query.bind(end).fetch_one(&mut *connection).await?;
            nodes += counted;
        }
    }
    Ok(nodes)
}
