//! Words: texts of which there are few, and their numbers.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use hashbrown::{HashMap, HashSet};
use pipeline::store::rows::{NO_WORD, Word};
use sqlx::SqliteConnection;

use super::bulk::{Bulk, Values, json_list};
use super::cells::{Cells, PackedRows, fetch};

static FIND: Bulk = Bulk::new("SELECT pack_rows(id, word) FROM words WHERE word IN (VALUES (?))");
static ADD: Bulk = Bulk::new("INSERT INTO words (word) VALUES (?) RETURNING pack_row(id, word)");
const READ: &str =
    "SELECT pack_rows(id, word) FROM words WHERE id IN (SELECT value FROM json_each(?1))";

const WITH_PREFIX: &str = "SELECT pack_rows(id) FROM words WHERE word >= ?1 AND word < ?2";

/// Words that are held in memory; beyond them all are read again.
const LIMIT: usize = 100_000;

/// Committed words of one file, for all sessions of this process. They are never removed from the
/// file.
#[derive(Debug, Default)]
pub(super) struct WordCache(RwLock<Words>);

impl WordCache {
    fn add(&self, words: &Words) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.texts.len() > LIMIT {
            *known = Words::default();
        }
        known.extend(words);
    }
}

/// Words both ways.
#[derive(Debug, Default)]
struct Words {
    numbers: HashMap<Arc<str>, Word>,
    texts: HashMap<Word, Arc<str>>,
}

impl Words {
    fn extend(&mut self, words: &Words) {
        for (text, number) in &words.numbers {
            self.numbers.insert(text.clone(), *number);
            self.texts.insert(*number, text.clone());
        }
    }
}

/// The words that one session knows.
#[derive(Debug)]
pub(super) struct SessionWords {
    shared: Arc<WordCache>,
    own: Words,
    /// Whether it sees words that have not committed. It shares nothing before it commits: a rollback
    /// gives numbers back.
    writes: bool,
}

impl SessionWords {
    pub(super) fn new(shared: Arc<WordCache>, writes: bool) -> SessionWords {
        SessionWords {
            shared,
            own: Words::default(),
            writes,
        }
    }

    /// What it knows is committed.
    pub(super) fn share(self) {
        self.shared.add(&self.own);
    }

    fn learn(&mut self, rows: &PackedRows) -> Result<(), sqlx::Error> {
        let mut words = Words::default();
        for (number, text) in rows.read(number_and_text)? {
            let text: Arc<str> = text.into();
            words.texts.insert(number, text.clone());
            words.numbers.insert(text, number);
        }
        if !self.writes {
            self.shared.add(&words);
        }
        self.own.extend(&words);
        Ok(())
    }

    /// The numbers of these texts, in order; `NO_WORD` where there is none.
    pub(super) async fn find(
        &mut self,
        connection: &mut SqliteConnection,
        texts: &[String],
    ) -> Result<Vec<Word>, sqlx::Error> {
        let mut numbers = self.known_numbers(texts);
        let unknown = unknown(texts, &numbers);
        if !unknown.is_empty() {
            let rows = FIND.run(connection, &unknown, bind).await?;
            self.learn(&rows)?;
            self.complete(&mut numbers, texts);
        }
        Ok(numbers)
    }

    /// As `find`; texts that have no number get one.
    pub(super) async fn make(
        &mut self,
        connection: &mut SqliteConnection,
        texts: &[String],
    ) -> Result<Vec<Word>, sqlx::Error> {
        let mut numbers = self.find(connection, texts).await?;
        let new = unknown(texts, &numbers);
        if !new.is_empty() {
            let rows = ADD.run(connection, &new, bind).await?;
            self.learn(&rows)?;
            self.complete(&mut numbers, texts);
        }
        Ok(numbers)
    }

    fn known_numbers(&self, texts: &[String]) -> Vec<Word> {
        let shared = self.shared.0.read().unwrap_or_else(PoisonError::into_inner);
        let number = |text: &String| {
            let own = self.own.numbers.get(text.as_str());
            own.or_else(|| shared.numbers.get(text.as_str())).copied()
        };
        texts
            .iter()
            .map(|text| number(text).unwrap_or(NO_WORD))
            .collect()
    }

    /// Sets the numbers that were learnt.
    fn complete(&self, numbers: &mut [Word], texts: &[String]) {
        for (number, text) in numbers.iter_mut().zip(texts) {
            if *number == NO_WORD {
                let learnt = self.own.numbers.get(text.as_str());
                *number = learnt.copied().unwrap_or(NO_WORD);
            }
        }
    }

    /// The texts of these words, in order; empty where there is none.
    pub(super) async fn texts(
        &mut self,
        connection: &mut SqliteConnection,
        words: &[Word],
    ) -> Result<Vec<String>, sqlx::Error> {
        let known = self.known_texts(words);
        let unknown = words.iter().zip(&known).filter(|(_, text)| text.is_none());
        let unknown: BTreeSet<Word> = unknown.map(|(word, _)| *word).collect();
        if !unknown.is_empty() {
            let query = sqlx::query(READ).bind(json_list(unknown));
            let rows = fetch(connection, query).await?;
            self.learn(&rows)?;
        }
        let texts = words.iter().zip(known).map(|(word, text)| {
            let text = text.or_else(|| self.own.texts.get(word).cloned());
            text.map(|text| text.to_string()).unwrap_or_default()
        });
        Ok(texts.collect())
    }

    fn known_texts(&self, words: &[Word]) -> Vec<Option<Arc<str>>> {
        let shared = self.shared.0.read().unwrap_or_else(PoisonError::into_inner);
        let text = |word: &Word| {
            if *word == NO_WORD {
                return Some(Arc::default());
            }
            let own = self.own.texts.get(word);
            own.or_else(|| shared.texts.get(word)).cloned()
        };
        words.iter().map(text).collect()
    }

    /// Words whose texts begin with this one.
    pub(super) async fn with_prefix(
        connection: &mut SqliteConnection,
        prefix: &str,
    ) -> Result<Vec<Word>, sqlx::Error> {
        let query = sqlx::query(WITH_PREFIX).bind(prefix);
        let query = match end_of_prefix(prefix) {
            Some(end) => query.bind(end),
            // Any text is less than any blob.
            None => query.bind(Vec::new()),
        };
        fetch(connection, query).await?.read(Cells::take)
    }
}

fn bind(values: &mut Values, text: &&str) {
    values.add(*text);
}

/// The texts that have no number and are not empty, each once, in order.
fn unknown<'t>(texts: &'t [String], numbers: &[Word]) -> Vec<&'t str> {
    let texts = texts.iter().zip(numbers);
    let mut seen = HashSet::new();
    texts
        .filter(|(text, number)| **number == NO_WORD && !text.is_empty())
        .map(|(text, _)| text.as_str())
        .filter(|text| seen.insert(*text))
        .collect()
}

/// The least text that is greater than all with this prefix, if there is one.
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

fn number_and_text(cells: &mut Cells<'_>) -> Result<(Word, String), sqlx::Error> {
    Ok((cells.take()?, cells.take()?))
}
