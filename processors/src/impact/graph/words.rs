//! Interns kinds and sources as numbers of 16 bits: there are few, and they repeat.

use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct WordInterner {
    numbers: HashMap<Box<str>, u16>,
    words: Vec<Box<str>>,
}

impl WordInterner {
    /// `first` gets number 0, which also stands for every word after the numbers are used up.
    pub(super) fn new(first: &str) -> WordInterner {
        WordInterner {
            numbers: HashMap::from([(first.into(), 0)]),
            words: vec![first.into()],
        }
    }

    pub(super) fn intern(&mut self, word: &str) -> u16 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let Ok(number) = u16::try_from(self.words.len()) else {
            return 0;
        };
        self.words.push(word.into());
        self.numbers.insert(word.into(), number);
        number
    }

    pub(super) fn word(&self, number: u16) -> &str {
        &self.words[number as usize]
    }
}
