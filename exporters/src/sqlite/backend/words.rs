//! Words: interned texts with few distinct values (kinds, sources, scopes, …), and their numbers.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

use hashbrown::{HashMap, HashSet};
use pipeline::store::rows::{NO_WORD, Word};
use pipeline::sync;
use sqlx::SqliteConnection;

use super::bulk::{BoundValues, BulkStatement, json_list};
use super::cells::{CellReader, PackedRows, fetch_packed};

static FIND: BulkStatement =
    BulkStatement::new("SELECT pack_rows(id, word) FROM words WHERE word IN (VALUES (?))");
static ADD: BulkStatement =
    BulkStatement::new("INSERT INTO words (word) VALUES (?) RETURNING pack_row(id, word)");
const READ: &str =
    "SELECT pack_rows(id, word) FROM words WHERE id IN (SELECT value FROM json_each(?1))";

const WITH_PREFIX: &str = "SELECT pack_rows(id) FROM words WHERE word >= ?1 AND word < ?2";

/// The cache is cleared when it has more words than this.
const MAX_CACHED: usize = 100_000;

/// The committed words of one file, for all sessions of this process. The cache cannot become stale, since no word is
/// ever removed from the file.
#[derive(Debug, Default)]
pub(super) struct WordCache(RwLock<WordMaps>);

impl WordCache {
    fn add(&self, words: &WordMaps) {
        let mut cached = sync::write(&self.0);
        if cached.texts.len() > MAX_CACHED {
            *cached = WordMaps::default();
        }
        cached.extend(words);
    }
}

/// Words, by text and by number. The file assigns the numbers, not `pipeline::interner::Interner`.
#[derive(Debug, Default)]
struct WordMaps {
    numbers: HashMap<Arc<str>, Word>,
    texts: HashMap<Word, Arc<str>>,
}

impl WordMaps {
    fn extend(&mut self, words: &WordMaps) {
        for (text, number) in &words.numbers {
            self.numbers.insert(text.clone(), *number);
            self.texts.insert(*number, text.clone());
        }
    }
}

/// The words that one session has read or added.
#[derive(Debug)]
pub(super) struct SessionWords {
    shared: Arc<WordCache>,
    local: WordMaps,
    /// A read session shares words when it has read them. A write session shares them after its commit, since a
    /// rollback frees the numbers of added words.
    is_write_session: bool,
}

impl SessionWords {
    /// The words of a new session.
    pub(super) fn new(shared: Arc<WordCache>, is_write_session: bool) -> SessionWords {
        SessionWords {
            shared,
            local: WordMaps::default(),
            is_write_session,
        }
    }

    /// Adds the words to the shared cache. A write session calls this after its commit.
    pub(super) fn share(self) {
        self.shared.add(&self.local);
    }

    /// Remembers words that a statement returned.
    fn remember(&mut self, rows: &PackedRows) -> Result<(), sqlx::Error> {
        let mut words = WordMaps::default();
        for (number, text) in rows.read(number_and_text)? {
            let text: Arc<str> = text.into();
            words.texts.insert(number, text.clone());
            words.numbers.insert(text, number);
        }
        if !self.is_write_session {
            self.shared.add(&words);
        }
        self.local.extend(&words);
        Ok(())
    }

    /// The numbers of texts, in order; `NO_WORD` for an unknown text.
    pub(super) async fn find(
        &mut self,
        connection: &mut SqliteConnection,
        texts: &[String],
    ) -> Result<Vec<Word>, sqlx::Error> {
        let mut numbers = self.cached_numbers(texts);
        let unknown = unknown(texts, &numbers);
        if !unknown.is_empty() {
            let rows = FIND.run(connection, &unknown, bind).await?;
            self.remember(&rows)?;
            self.fill_in(&mut numbers, texts);
        }
        Ok(numbers)
    }

    /// The numbers of texts, in order. Unknown texts get numbers; the empty text stays `NO_WORD`.
    pub(super) async fn find_or_add(
        &mut self,
        connection: &mut SqliteConnection,
        texts: &[String],
    ) -> Result<Vec<Word>, sqlx::Error> {
        let mut numbers = self.find(connection, texts).await?;
        let new = unknown(texts, &numbers);
        if !new.is_empty() {
            let rows = ADD.run(connection, &new, bind).await?;
            self.remember(&rows)?;
            self.fill_in(&mut numbers, texts);
        }
        Ok(numbers)
    }

    fn cached_numbers(&self, texts: &[String]) -> Vec<Word> {
        let shared = sync::read(&self.shared.0);
        let number = |text: &String| {
            let local = self.local.numbers.get(text.as_str());
            local.or_else(|| shared.numbers.get(text.as_str())).copied()
        };
        texts
            .iter()
            .map(|text| number(text).unwrap_or(NO_WORD))
            .collect()
    }

    /// Sets the missing numbers of words that the session has read or added in the meantime.
    fn fill_in(&self, numbers: &mut [Word], texts: &[String]) {
        for (number, text) in numbers.iter_mut().zip(texts) {
            if *number == NO_WORD {
                let local = self.local.numbers.get(text.as_str());
                *number = local.copied().unwrap_or(NO_WORD);
            }
        }
    }

    /// The texts of words, in order; empty for an unknown word.
    pub(super) async fn texts(
        &mut self,
        connection: &mut SqliteConnection,
        words: &[Word],
    ) -> Result<Vec<String>, sqlx::Error> {
        let cached = self.cached_texts(words);
        let unknown = words.iter().zip(&cached).filter(|(_, text)| text.is_none());
        let unknown: BTreeSet<Word> = unknown.map(|(word, _)| *word).collect();
        if !unknown.is_empty() {
            let query = sqlx::query(READ).bind(json_list(unknown));
            let rows = fetch_packed(connection, query).await?;
            self.remember(&rows)?;
        }
        let texts = words.iter().zip(cached).map(|(word, text)| {
            let text = text.or_else(|| self.local.texts.get(word).cloned());
            text.map(|text| text.to_string()).unwrap_or_default()
        });
        Ok(texts.collect())
    }

    fn cached_texts(&self, words: &[Word]) -> Vec<Option<Arc<str>>> {
        let shared = sync::read(&self.shared.0);
        let text = |word: &Word| {
            if *word == NO_WORD {
                return Some(Arc::default());
            }
            let local = self.local.texts.get(word);
            local.or_else(|| shared.texts.get(word)).cloned()
        };
        words.iter().map(text).collect()
    }

    /// The words whose texts begin with a prefix.
    pub(super) async fn with_prefix(
        connection: &mut SqliteConnection,
        prefix: &str,
    ) -> Result<Vec<Word>, sqlx::Error> {
        let query = sqlx::query(WITH_PREFIX).bind(prefix);
        let query = match end_of_prefix(prefix) {
            Some(end) => query.bind(end),
            // SQLite orders every text before every blob.
            None => query.bind(Vec::new()),
        };
        fetch_packed(connection, query)
            .await?
            .read(CellReader::take)
    }
}

fn bind(values: &mut BoundValues, text: &&str) {
    values.add(*text);
}

/// The non-empty texts without a number, each once, in order.
fn unknown<'t>(texts: &'t [String], numbers: &[Word]) -> Vec<&'t str> {
    let texts = texts.iter().zip(numbers);
    let mut seen = HashSet::new();
    texts
        .filter(|(text, number)| **number == NO_WORD && !text.is_empty())
        .map(|(text, _)| text.as_str())
        .filter(|text| seen.insert(*text))
        .collect()
}

/// The least text that is greater than all texts with this prefix, if there is one.
fn end_of_prefix(prefix: &str) -> Option<String> {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

fn number_and_text(cells: &mut CellReader<'_>) -> Result<(Word, String), sqlx::Error> {
    Ok((cells.take()?, cells.take()?))
}
