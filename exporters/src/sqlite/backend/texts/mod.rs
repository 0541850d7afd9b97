//! The search texts of nodes: an index of trigrams returns candidates, and a comparison with the text decides.

mod layout;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use pipeline::store::rows::{
    NodeId, TextCondition, TextField, TextHits, TextMatch, TextRow, stored_text,
};
use sqlx::SqliteConnection;

use super::bulk::{BulkStatement, json_list, sorted, sql_limit};
use super::cells::{decode_code, fetch_packed};
use super::nodes::NewNodes;

/// A search ends after about this many candidates, even if more texts would match. A candidate has all trigrams of the
/// search.
const MAX_CANDIDATES: usize = 10_000;

/// The first row of `trigrams` for texts of nodes that are not current.
const FIRST_OTHER_ROW: i64 = 1 << 44;

pub(super) const FIND: &str = include_str!("../../sql/read_texts.sql");
const READ: &str = "SELECT pack_rows(id, text, is_current) FROM texts WHERE id IN (SELECT value FROM json_each(?1))";
static PUT: BulkStatement =
    BulkStatement::new("INSERT INTO texts (id, text, is_current) VALUES (?, ?, ?)");
const REMOVE: &str = "DELETE FROM texts WHERE id IN (SELECT value FROM json_each(?1))";
// One statement takes all texts, since FTS5 writes a segment for each statement.
pub(super) const INDEX: &str = include_str!("../../sql/index_texts.sql");
pub(super) const UNINDEX: &str = include_str!("../../sql/unindex_texts.sql");

/// Identifies the texts of one field of a node. Searches return texts in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct NodeField {
    field: TextField,
    node: NodeId,
}

impl NodeField {
    /// The id in `texts`. Texts of new nodes have the greatest ids, so they are appended to the table.
    fn text_id(self) -> i64 {
        self.node * 8 + self.field as i64
    }

    /// The row id in `trigrams`. The texts of current nodes come first.
    fn trigram_row(self, is_current: bool) -> i64 {
        let first = if is_current { 0 } else { FIRST_OTHER_ROW };
        first | (self.field as i64) << 40 | self.node
    }

    /// The inverse of [`NodeField::trigram_row`].
    fn from_trigram_row(id: i64) -> Result<NodeField, sqlx::Error> {
        Ok(NodeField {
            field: decode_code(id >> 40 & 15, &TextField::ALL)?,
            node: id & ((1 << 40) - 1),
        })
    }
}

/// Finds up to `limit` texts that match, in the order of field and node. They are texts of current nodes, or of all
/// other nodes.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    text: &str,
    mode: TextMatch,
    current: bool,
    limit: usize,
) -> Result<TextHits, sqlx::Error> {
    let text = stored_text(text);
    let Some(trigrams) = layout::query(&text, mode) else {
        return Ok(TextHits::default());
    };
    let is_match = |candidate: &str| match mode {
        TextMatch::Exact => candidate == text,
        TextMatch::Prefix => candidate.starts_with(&text),
        TextMatch::Substring => candidate.contains(&text),
    };
    let (mut matches, mut candidates) = (Vec::new(), 0);
    let (mut after, end) = match current {
        true => (-1, FIRST_OTHER_ROW),
        false => (FIRST_OTHER_ROW - 1, 2 * FIRST_OTHER_ROW),
    };
    // Usually most candidates match. If they do not, each further read is larger than the one before.
    let mut batch_size = limit.saturating_add(1).clamp(16, 1024);
    let is_last = loop {
        let query = sqlx::query(FIND)
            .bind(&trigrams)
            .bind(after)
            .bind(sql_limit(batch_size))
            .bind(end);
        let rows = fetch_packed(connection, query).await?;
        for (id, texts) in rows.read(|cells| Ok((cells.take::<i64>()?, cells.take()?)))? {
            let NodeField { field, node } = NodeField::from_trigram_row(id)?;
            let texts: String = texts;
            let texts = layout::split(&texts).filter(|text| is_match(text));
            matches.extend(texts.map(|text| TextRow {
                node,
                field,
                is_current: current,
                text: text.to_owned(),
            }));
            after = id;
        }
        candidates += rows.len();
        let is_last = rows.len() < batch_size;
        if is_last || matches.len() > limit || candidates >= MAX_CANDIDATES {
            break is_last;
        }
        batch_size = (batch_size * 4).min(4096);
    };
    let has_more = !is_last || matches.len() > limit;
    matches.truncate(limit);
    Ok(TextHits {
        rows: matches,
        has_more,
    })
}

/// A condition on a text, as SQL evaluates it.
#[derive(Clone, Debug)]
pub(super) struct TextPredicate {
    field: TextField,
    /// The condition holds if and only if the joined texts of the field contain this string.
    pub(super) pattern: String,
    /// `None` if the text is too short for the index.
    trigrams: Option<String>,
}

/// A query of the index of trigrams that returns nodes in order.
#[derive(Clone, Debug)]
pub(super) struct TrigramQuery {
    field: TextField,
    pub(super) trigrams: String,
}

impl TextPredicate {
    pub(super) fn new(condition: &TextCondition) -> TextPredicate {
        let text = stored_text(&condition.text);
        TextPredicate {
            field: condition.field,
            trigrams: layout::query(&text, condition.mode),
            pattern: layout::pattern(&text, condition.mode),
        }
    }

    /// The query of the index; `None` if the text is too short for the index.
    pub(super) fn trigram_query(&self) -> Option<TrigramQuery> {
        Some(TrigramQuery {
            field: self.field,
            trigrams: self.trigrams.clone()?,
        })
    }

    /// The SQL condition on a row of `nodes`, with the pattern as this parameter.
    pub(super) fn condition(&self, parameter: usize) -> String {
        let field = self.field as i64;
        format!(
            "EXISTS (SELECT 1 FROM texts WHERE texts.id = nodes.id * 8 + {field} \
             AND instr(text, ?{parameter}) > 0)"
        )
    }
}

impl TrigramQuery {
    /// The rows of the index for nodes after `after`, as exclusive bounds.
    pub(super) fn row_range(&self, after: NodeId, is_current: bool) -> (i64, i64) {
        let key = |node| NodeField {
            field: self.field,
            node,
        };
        let first = key(after).trigram_row(is_current);
        (first, key(0).trigram_row(is_current) + (1 << 40))
    }
}

/// All texts of nodes, in the order of field and node.
pub(super) async fn of_nodes(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<TextRow>, sqlx::Error> {
    let of_node = |node: &NodeId| {
        let node = *node;
        TextField::ALL.map(|field| NodeField { field, node })
    };
    let keys: Vec<NodeField> = nodes.iter().flat_map(of_node).collect();
    let stored = stored(connection, &keys).await?;
    let keys: BTreeSet<NodeField> = keys.into_iter().collect();
    let mut rows = Vec::new();
    for NodeField { field, node } in keys {
        let Some((texts, is_current)) = stored.get(&NodeField { field, node }.text_id()) else {
            continue;
        };
        let texts = layout::split(texts);
        rows.extend(texts.map(|text| TextRow {
            node,
            field,
            is_current: *is_current,
            text: text.to_owned(),
        }));
    }
    Ok(rows)
}

/// The joined texts that a session wrote for its new nodes, and whether the node is current, by [`NodeField::text_id`].
pub(super) type NewTexts = HashMap<i64, (String, bool)>;

/// Replaces the texts of these nodes and fields by those in `rows`. Unchanged texts are not written.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    new_nodes: &NewNodes,
    new_texts: &mut NewTexts,
    nodes: &[(NodeId, TextField)],
    rows: &[TextRow],
) -> Result<(), sqlx::Error> {
    // The texts of a node are all current, or none is.
    let mut texts: BTreeMap<NodeField, (BTreeSet<String>, bool)> = BTreeMap::new();
    for (node, field) in nodes {
        let (node, field) = (*node, *field);
        texts.entry(NodeField { field, node }).or_default();
    }
    for row in rows {
        let (node, field) = (row.node, row.field);
        let of_field = texts.entry(NodeField { field, node }).or_default();
        of_field.1 = row.is_current;
        if !row.text.is_empty() {
            of_field.0.insert(stored_text(&row.text));
        }
    }
    // The old texts of a new node are in `new_texts`, so they are not read.
    let old = texts.keys().copied();
    let old: Vec<NodeField> = old.filter(|key| !new_nodes.is_new(key.node)).collect();
    let mut stored = stored(connection, &old).await?;
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for (key, (texts, is_current)) in texts {
        let new = layout::join(&texts).map(|text| (text, is_current));
        let old = match new_nodes.is_new(key.node) {
            true => replace_new(new_texts, key, new.clone()),
            false => stored.remove(&key.text_id()),
        };
        if new == old {
            continue;
        }
        removed.extend(old.map(|(_, was_current)| (key, was_current)));
        added.extend(new.map(|(text, is_current)| (key, is_current, text)));
    }
    replace(connection, &removed, &added).await
}

/// Replaces the texts of a new node; returns the old ones.
fn replace_new(
    texts: &mut NewTexts,
    key: NodeField,
    new: Option<(String, bool)>,
) -> Option<(String, bool)> {
    match new {
        Some(new) => texts.insert(key.text_id(), new),
        None => texts.remove(&key.text_id()),
    }
}

/// The stored joined texts with these keys, and whether the node is current, by [`NodeField::text_id`].
async fn stored(
    connection: &mut SqliteConnection,
    keys: &[NodeField],
) -> Result<HashMap<i64, (String, bool)>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(READ).bind(json_list(keys.iter().map(|key| key.text_id())));
    let rows = fetch_packed(connection, query).await?;
    let texts = rows.read(|cells| Ok((cells.take()?, (cells.take()?, cells.take()?))))?;
    Ok(texts.into_iter().collect())
}

/// Removes and adds texts in the order of their row ids: FTS5 begins a segment at each row id that is not greater than
/// the previous one.
async fn replace(
    connection: &mut SqliteConnection,
    removed: &[(NodeField, bool)],
    added: &[(NodeField, bool, String)],
) -> Result<(), sqlx::Error> {
    if !removed.is_empty() {
        let mut keys: Vec<i64> = removed
            .iter()
            .map(|(key, is_current)| key.trigram_row(*is_current))
            .collect();
        keys.sort_unstable();
        sqlx::query(UNINDEX)
            .bind(json_list(keys))
            .execute(&mut *connection)
            .await?;
        let ids = removed.iter().map(|(key, _)| key.text_id());
        sqlx::query(REMOVE)
            .bind(json_list(ids))
            .execute(&mut *connection)
            .await?;
    }
    if added.is_empty() {
        return Ok(());
    }
    let rows = sorted(added, |(key, ..)| key.text_id());
    PUT.run(connection, &rows, |values, (key, is_current, text)| {
        values
            .add(key.text_id())
            .add(text.as_str())
            .add(*is_current);
    })
    .await?;
    let mut keys: Vec<i64> = added
        .iter()
        .map(|(key, is_current, _)| key.trigram_row(*is_current))
        .collect();
    keys.sort_unstable();
    sqlx::query(INDEX)
        .bind(json_list(keys))
        .execute(connection)
        .await?;
    Ok(())
}
