//! Texts by which nodes are found: an index of trigrams finds candidates, the text itself decides.

mod layout;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use pipeline::store::rows::{FoundTexts, NodeId, TextField, TextMatch, TextRow, WantedText, kept};
use sqlx::SqliteConnection;

use super::bulk::{Bulk, json_list, limit as rows_limit, sorted};
use super::cells::{fetch, value_of};
use super::nodes::NewNodes;

/// Texts with all trigrams of a text that are looked at, about: what is beyond is not found.
const CANDIDATES: usize = 10_000;

/// Where the texts of nodes begin that are not current.
const OTHERS: i64 = 1 << 44;

pub(super) const FIND: &str = include_str!("../../sql/read_texts.sql");
const READ: &str = "SELECT pack_rows(id, text, is_current) FROM texts WHERE id IN (SELECT value FROM json_each(?1))";
static PUT: Bulk = Bulk::new("INSERT INTO texts (id, text, is_current) VALUES (?, ?, ?)");
const REMOVE: &str = "DELETE FROM texts WHERE id IN (SELECT value FROM json_each(?1))";
// One statement for all texts: FTS5 writes a segment for each, since each is a savepoint.
pub(super) const INDEX: &str = include_str!("../../sql/index_texts.sql");
pub(super) const UNINDEX: &str = include_str!("../../sql/unindex_texts.sql");

/// All texts of a field of a node. Ordered as they are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    field: TextField,
    node: NodeId,
}

impl Place {
    /// In `texts`, to which new nodes are appended.
    fn id(self) -> i64 {
        self.node * 8 + self.field as i64
    }

    /// In `trigrams`, where those of current nodes stand first.
    fn indexed(self, is_current: bool) -> i64 {
        let first = if is_current { 0 } else { OTHERS };
        first | (self.field as i64) << 40 | self.node
    }

    fn of_indexed(id: i64) -> Result<Place, sqlx::Error> {
        Ok(Place {
            field: value_of(id >> 40 & 15, &TextField::ALL)?,
            node: id & ((1 << 40) - 1),
        })
    }
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    text: &str,
    how: TextMatch,
    current: bool,
    limit: usize,
) -> Result<FoundTexts, sqlx::Error> {
    let text = kept(text);
    let Some(trigrams) = layout::query(&text, how) else {
        return Ok(FoundTexts::default());
    };
    let fits = |found: &str| match how {
        TextMatch::Exact => found == text,
        TextMatch::Prefix => found.starts_with(&text),
        TextMatch::Part => found.contains(&text),
    };
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let (mut after, end) = match current {
        true => (-1, OTHERS),
        false => (OTHERS - 1, 2 * OTHERS),
    };
    // Most candidates fit; where they do not, the next ones are read in larger steps.
    let mut step = limit.saturating_add(1).clamp(16, 1024);
    let is_last = loop {
        let query = sqlx::query(FIND)
            .bind(&trigrams)
            .bind(after)
            .bind(rows_limit(step))
            .bind(end);
        let rows = fetch(connection, query).await?;
        for (id, texts) in rows.read(|cells| Ok((cells.take::<i64>()?, cells.take()?)))? {
            let Place { field, node } = Place::of_indexed(id)?;
            let texts: String = texts;
            let texts = layout::split(&texts).filter(|text| fits(text));
            found.extend(texts.map(|text| TextRow {
                node,
                field,
                is_current: current,
                text: text.to_owned(),
            }));
            after = id;
        }
        looked_at += rows.len();
        let is_last = rows.len() < step;
        if is_last || found.len() > limit || looked_at >= CANDIDATES {
            break is_last;
        }
        step = (step * 4).min(4096);
    };
    let has_more = !is_last || found.len() > limit;
    found.truncate(limit);
    Ok(FoundTexts {
        rows: found,
        has_more,
    })
}

/// A text that is wanted, as the database finds it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    field: TextField,
    /// Stands in the node's texts of the field.
    pub(super) pattern: String,
    trigrams: Option<String>,
}

/// A walk through the nodes with a text, in their order.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    field: TextField,
    pub(super) trigrams: String,
}

impl Wanted {
    pub(super) fn of(wanted: &WantedText) -> Wanted {
        let text = kept(&wanted.text);
        Wanted {
            field: wanted.field,
            trigrams: layout::query(&text, wanted.how),
            pattern: layout::pattern(&text, wanted.how),
        }
    }

    /// Of a text that is too short for the index there is none.
    pub(super) fn walk(&self) -> Option<Walk> {
        Some(Walk {
            field: self.field,
            trigrams: self.trigrams.clone()?,
        })
    }

    /// Whether a node of the table `nodes` has it, which is bound as this parameter.
    pub(super) fn condition(&self, parameter: usize) -> String {
        let field = self.field as i64;
        format!(
            "EXISTS (SELECT 1 FROM texts WHERE texts.id = nodes.id * 8 + {field} \
             AND instr(text, ?{parameter}) > 0)"
        )
    }
}

impl Walk {
    /// The rows of the index of nodes greater than `after`: greater than the first, less than the other.
    pub(super) fn rows(&self, after: NodeId, is_current: bool) -> (i64, i64) {
        let place = |node| Place {
            field: self.field,
            node,
        };
        let first = place(after).indexed(is_current);
        (first, place(0).indexed(is_current) + (1 << 40))
    }
}

pub(super) async fn of_nodes(
    connection: &mut SqliteConnection,
    nodes: &[NodeId],
) -> Result<Vec<TextRow>, sqlx::Error> {
    let of_node = |node: &NodeId| {
        let node = *node;
        TextField::ALL.map(|field| Place { field, node })
    };
    let places: Vec<Place> = nodes.iter().flat_map(of_node).collect();
    let stored = stored(connection, &places).await?;
    let places: BTreeSet<Place> = places.into_iter().collect();
    let mut rows = Vec::new();
    for Place { field, node } in places {
        let Some((texts, is_current)) = stored.get(&Place { field, node }.id()) else {
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

/// The texts that a session wrote of the nodes that it made, by their [`Place::id`].
pub(super) type NewTexts = HashMap<i64, (String, bool)>;

pub(super) async fn put(
    connection: &mut SqliteConnection,
    new_nodes: &NewNodes,
    new_texts: &mut NewTexts,
    nodes: &[(NodeId, TextField)],
    rows: &[TextRow],
) -> Result<(), sqlx::Error> {
    // Those of a node are all current, or none is.
    let mut texts: BTreeMap<Place, (BTreeSet<String>, bool)> = BTreeMap::new();
    for (node, field) in nodes {
        let (node, field) = (*node, *field);
        texts.entry(Place { field, node }).or_default();
    }
    for row in rows {
        let (node, field) = (row.node, row.field);
        let of_place = texts.entry(Place { field, node }).or_default();
        of_place.1 = row.is_current;
        if !row.text.is_empty() {
            of_place.0.insert(kept(&row.text));
        }
    }
    // Those of new nodes are what this session wrote.
    let old = texts.keys().copied();
    let old: Vec<Place> = old.filter(|place| !new_nodes.is_new(place.node)).collect();
    let mut stored = stored(connection, &old).await?;
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for (place, (texts, is_current)) in texts {
        let new = layout::joined(&texts).map(|text| (text, is_current));
        let old = match new_nodes.is_new(place.node) {
            true => replace_new(new_texts, place, new.clone()),
            false => stored.remove(&place.id()),
        };
        if new == old {
            continue;
        }
        removed.extend(old.map(|(_, was_current)| (place, was_current)));
        added.extend(new.map(|(text, is_current)| (place, is_current, text)));
    }
    replace(connection, &removed, &added).await
}

/// Returns what was there.
fn replace_new(
    texts: &mut NewTexts,
    place: Place,
    new: Option<(String, bool)>,
) -> Option<(String, bool)> {
    match new {
        Some(new) => texts.insert(place.id(), new),
        None => texts.remove(&place.id()),
    }
}

async fn stored(
    connection: &mut SqliteConnection,
    places: &[Place],
) -> Result<HashMap<i64, (String, bool)>, sqlx::Error> {
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(READ).bind(json_list(places.iter().map(|place| place.id())));
    let rows = fetch(connection, query).await?;
    let texts = rows.read(|cells| Ok((cells.take()?, (cells.take()?, cells.take()?))))?;
    Ok(texts.into_iter().collect())
}

/// Both in the order of their places: FTS5 begins a segment at each that is not greater.
async fn replace(
    connection: &mut SqliteConnection,
    removed: &[(Place, bool)],
    added: &[(Place, bool, String)],
) -> Result<(), sqlx::Error> {
    if !removed.is_empty() {
        let mut places: Vec<i64> = removed
            .iter()
            .map(|(place, is_current)| place.indexed(*is_current))
            .collect();
        places.sort_unstable();
        sqlx::query(UNINDEX)
            .bind(json_list(places))
            .execute(&mut *connection)
            .await?;
        let ids = removed.iter().map(|(place, _)| place.id());
        sqlx::query(REMOVE)
            .bind(json_list(ids))
            .execute(&mut *connection)
            .await?;
    }
    if added.is_empty() {
        return Ok(());
    }
    let rows = sorted(added, |(place, ..)| place.id());
    PUT.run(connection, &rows, |values, (place, is_current, text)| {
        values.add(place.id()).add(text.as_str()).add(*is_current);
    })
    .await?;
    let mut places: Vec<i64> = added
        .iter()
        .map(|(place, is_current, _)| place.indexed(*is_current))
        .collect();
    places.sort_unstable();
    sqlx::query(INDEX)
        .bind(json_list(places))
        .execute(connection)
        .await?;
    Ok(())
}
