//! Kinds and sources as numbers: few, and the same again and again.

use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Words {
    numbers: HashMap<Box<str>, u16>,
    words: Vec<Box<str>>,
}

impl Words {
    /// Number 0 is this one: it stands for whatever finds no number any more.
    pub(super) fn new(first: &str) -> Words {
        Words {
            numbers: HashMap::from([(first.into(), 0)]),
            words: vec![first.into()],
        }
    }

    pub(super) fn number(&mut self, word: &str) -> u16 {
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
