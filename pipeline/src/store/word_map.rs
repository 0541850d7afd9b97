//! The interned texts of one session: the numbers of sources, scopes, kinds and other texts with few distinct values.

use std::sync::Arc;

use hashbrown::HashMap;

use super::rows::{NO_WORD, NodeId, ReadRows, RowsError, ScopeKey, VersionKey, Word, WriteRows};
use crate::claims::{ClaimClass, SourceKey};

/// Maps texts to words and words to texts, as far as a session has loaded them. Unlike an
/// [`Interner`](crate::interner::Interner) it assigns no numbers: the backend does.
#[derive(Debug, Default)]
pub(super) struct WordMap {
    numbers: HashMap<Arc<str>, Word>,
    texts: HashMap<Word, Arc<str>>,
}

impl WordMap {
    /// Loads the words of these texts, and creates those that do not exist.
    pub(super) async fn intern<'t>(
        &mut self,
        rows: &mut impl WriteRows,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<(), RowsError> {
        let missing = self.not_loaded(texts);
        let numbers = rows.words(&missing).await?;
        self.insert(missing, &numbers);
        Ok(())
    }

    /// Loads the words of these texts that exist.
    pub(super) async fn load_numbers<'t>(
        &mut self,
        rows: &mut impl ReadRows,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<(), RowsError> {
        let missing = self.not_loaded(texts);
        if missing.is_empty() {
            return Ok(());
        }
        let numbers = rows.find_words(&missing).await?;
        self.insert(missing, &numbers);
        Ok(())
    }

    /// Loads the texts of these words.
    pub(super) async fn load_texts(
        &mut self,
        rows: &mut impl ReadRows,
        words: impl Iterator<Item = Word>,
    ) -> Result<(), RowsError> {
        let mut missing: Vec<Word> = words
            .filter(|word| *word != NO_WORD && !self.texts.contains_key(word))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let texts = rows.texts(&missing).await?;
        self.insert(texts, &missing);
        Ok(())
    }

    /// The word of a text; [`NO_WORD`] if it was not loaded.
    pub(super) fn number(&self, text: &str) -> Word {
        self.numbers.get(text).copied().unwrap_or(NO_WORD)
    }

    /// The text of a word; empty if it was not loaded.
    pub(super) fn text(&self, word: Word) -> Arc<str> {
        self.texts.get(&word).cloned().unwrap_or_default()
    }

    /// The text of a word; `None` for [`NO_WORD`] and if it was not loaded.
    pub(super) fn owned_text(&self, word: Word) -> Option<String> {
        let text = self.texts.get(&word)?;
        Some(text.as_ref().to_owned())
    }

    /// The key of the claims of a scope, with its texts, which must be loaded.
    pub(super) fn source_key(&self, scope: ScopeKey) -> SourceKey {
        SourceKey {
            class: scope.class,
            source: self.text(scope.source),
            scope: self.text(scope.scope),
        }
    }

    /// The key of a scope by the words of its texts, which must be loaded.
    pub(super) fn scope_key(&self, class: ClaimClass, source: &str, scope: &str) -> ScopeKey {
        ScopeKey {
            class,
            source: self.number(source),
            scope: self.number(scope),
        }
    }

    /// The key of the version that a state of a claim refers to. The texts of the claim must be loaded.
    pub(super) fn version_key(&self, node: NodeId, claim: &SourceKey, state: u64) -> VersionKey {
        VersionKey {
            node,
            source: self.number(&claim.source),
            scope: self.number(&claim.scope),
            state,
        }
    }

    /// The distinct texts that are not loaded yet.
    fn not_loaded<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<String> {
        let mut missing: Vec<&str> = texts
            .filter(|text| !text.is_empty() && !self.numbers.contains_key(*text))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing.into_iter().map(str::to_owned).collect()
    }

    fn insert(&mut self, texts: Vec<String>, numbers: &[Word]) {
        for (text, number) in texts.into_iter().zip(numbers) {
            if *number != NO_WORD {
                let text: Arc<str> = text.into();
                self.numbers.insert(text.clone(), *number);
                self.texts.insert(*number, text);
            }
        }
    }
}
