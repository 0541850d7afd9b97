//! Rows of the database ⇄ facts.

use std::borrow::Cow;

use pipeline::component::UnixNanos;
use pipeline::facts::{Content, Fact, Run};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// Hashes are stored as signed numbers with the same bits.
pub(super) fn signed(hash: u64) -> i64 {
    i64::from_le_bytes(hash.to_le_bytes())
}

pub(super) fn unsigned(hash: i64) -> u64 {
    u64::from_le_bytes(hash.to_le_bytes())
}

pub(super) fn time(row: &SqliteRow, column: &str) -> Result<UnixNanos, sqlx::Error> {
    let nanos: i64 = row.try_get(column)?;
    Ok(UnixNanos(u64::try_from(nanos).unwrap_or_default()))
}

pub(super) fn text(row: &SqliteRow, column: &str) -> Result<String, sqlx::Error> {
    row.try_get(column)
}

pub(super) fn hash(row: &SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    row.try_get(column).map(unsigned)
}

/// How much of each fact is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// What it says of the node as a whole, without tags and value.
    Words,
    /// Not what it says: enough to know what exists and which sets are newest.
    Keys,
}

/// A row of `facts`, of which the query has asked for this part.
pub(super) fn fact(row: &SqliteRow, part: Part) -> Result<Fact<'static>, sqlx::Error> {
    Ok(Fact {
        uid: text(row, "uid")?.into(),
        group: text(row, "grp")?.into(),
        source: text(row, "source")?.into(),
        scope: text(row, "scope")?.into(),
        hash: hash(row, "hash")?,
        first_seen: time(row, "first_seen")?,
        last_seen: time(row, "last_seen")?,
        content: content(row, part)?,
    })
}

fn content(row: &SqliteRow, part: Part) -> Result<Content<'static>, sqlx::Error> {
    if part == Part::Keys {
        return Ok(Content::default());
    }
    let text = |column| -> Result<Option<Cow<'static, str>>, sqlx::Error> {
        let text: Option<String> = row.try_get(column)?;
        Ok(text.map(Cow::Owned))
    };
    let bytes = |column| -> Result<Option<Cow<'static, [u8]>>, sqlx::Error> {
        if part == Part::Words {
            return Ok(None);
        }
        let bytes: Option<Vec<u8>> = row.try_get(column)?;
        Ok(bytes.map(Cow::Owned))
    };
    Ok(Content {
        kind: text("kind")?,
        name: text("name")?,
        provider: text("provider")?,
        account: text("account")?,
        region: text("region")?,
        tags: bytes("tags")?,
        value: bytes("value")?,
    })
}

/// A row of `completions`.
pub(super) fn run(row: &SqliteRow) -> Result<Run, sqlx::Error> {
    let scans: Vec<u64> = serde_json::from_str(&text(row, "scans")?)
        .map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Run {
        first: time(row, "first_began")?,
        last: time(row, "last_began")?,
        scans: scans.into_iter().map(UnixNanos).collect(),
        members: hash(row, "members")?,
    })
}
