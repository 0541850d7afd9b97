//! Texts of which there are few, as numbers, within one session.

use std::sync::Arc;

use hashbrown::HashMap;

use super::rows::{NO_WORD, ReadRows, RowsError, Word, WriteRows};

/// Words that a session has met, both ways.
#[derive(Debug, Default)]
pub(super) struct Words {
    numbers: HashMap<Arc<str>, Word>,
    texts: HashMap<Word, Arc<str>>,
}

impl Words {
    /// Makes the words of these texts known, new ones too.
    pub(super) async fn make<'t>(
        &mut self,
        rows: &mut impl WriteRows,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<(), RowsError> {
        let missing = self.missing(texts);
        let numbers = rows.words(&missing).await?;
        self.learn(missing, &numbers);
        Ok(())
    }

    /// Makes the words of these texts known, those that there are.
    pub(super) async fn find<'t>(
        &mut self,
        rows: &mut impl ReadRows,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<(), RowsError> {
        let missing = self.missing(texts);
        if missing.is_empty() {
            return Ok(());
        }
        let numbers = rows.find_words(&missing).await?;
        self.learn(missing, &numbers);
        Ok(())
    }

    /// Makes the texts of these words known.
    pub(super) async fn read(
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
        self.learn(texts, &missing);
        Ok(())
    }

    /// [`NO_WORD`] for one that is not known.
    pub(super) fn number(&self, text: &str) -> Word {
        self.numbers.get(text).copied().unwrap_or(NO_WORD)
    }

    /// Empty for one that is not known.
    pub(super) fn text(&self, word: Word) -> Arc<str> {
        self.texts.get(&word).cloned().unwrap_or_default()
    }

    /// None for no word.
    pub(super) fn owned(&self, word: Word) -> Option<String> {
        let text = self.texts.get(&word)?;
        Some(text.as_ref().to_owned())
    }

    fn missing<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<String> {
        let mut missing: Vec<&str> = texts
            .filter(|text| !text.is_empty() && !self.numbers.contains_key(*text))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing.into_iter().map(str::to_owned).collect()
    }

    fn learn(&mut self, texts: Vec<String>, numbers: &[Word]) {
        for (text, number) in texts.into_iter().zip(numbers) {
            if *number != NO_WORD {
                let text: Arc<str> = text.into();
                self.numbers.insert(text.clone(), *number);
                self.texts.insert(*number, text);
            }
        }
    }
}
