//! An interner: stores each value once and assigns it a number.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Values by number and by a key of bytes. A value keeps its number until [`Interner::sweep`] removes it as unused.
#[derive(Debug)]
pub(super) struct Interner<T> {
    /// The numbers in use, by the hash of their key.
    numbers: HashTable<u32>,
    /// The key and value of each number; none if the number is free.
    entries: Vec<Option<Entry<T>>>,
    free: Vec<u32>,
    hashing: DefaultHashBuilder,
}

#[derive(Debug)]
struct Entry<T> {
    key: Box<[u8]>,
    value: T,
}

impl<T> Interner<T> {
    pub(super) fn new() -> Interner<T> {
        Interner {
            numbers: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            hashing: DefaultHashBuilder::default(),
        }
    }

    /// The number of interned values.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Returns the number of a key. If the key is new, assigns a number to it and to the value that `make` returns.
    pub(super) fn intern(&mut self, key: &[u8], make: impl FnOnce() -> T) -> u32 {
        let hash = self.hashing.hash_one(key);
        let entries = &mut self.entries;
        let found = self
            .numbers
            .find(hash, |&number| key_of(entries, number) == key);
        if let Some(&number) = found {
            return number;
        }
        let entry = Some(Entry {
            key: key.into(),
            value: make(),
        });
        let number = match self.free.pop() {
            Some(number) => {
                entries[number as usize] = entry;
                number
            }
            None => {
                entries.push(entry);
                u32::try_from(entries.len() - 1).expect("sweeps keep fewer than 2^32 entries")
            }
        };
        self.numbers.insert_unique(hash, number, |&number| {
            self.hashing.hash_one(key_of(entries, number))
        });
        number
    }

    /// The key with this number.
    pub(super) fn key(&self, number: u32) -> &[u8] {
        key_of(&self.entries, number)
    }

    /// The value with this number, which must be in use.
    pub(super) fn get(&self, number: u32) -> &T {
        let entry = self.entries[number as usize].as_ref();
        &entry.expect("a number in use has its value").value
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        let entry = self.entries[number as usize].as_mut();
        &mut entry.expect("a number in use has its value").value
    }

    /// A flag `false` for each number. The caller sets the flags of the numbers in use for [`Interner::sweep`].
    pub(super) fn unused_flags(&self) -> Vec<bool> {
        vec![false; self.entries.len()]
    }

    /// Removes all values whose flag is `false` and frees their numbers.
    pub(super) fn sweep(&mut self, used: &[bool]) {
        self.numbers.retain(|&mut number| used[number as usize]);
        for (number, entry) in (0..).zip(&mut self.entries) {
            if entry.is_some() && !used[number as usize] {
                *entry = None;
                self.free.push(number);
            }
        }
    }
}

fn key_of<T>(entries: &[Option<Entry<T>>], number: u32) -> &[u8] {
    entries[number as usize]
        .as_ref()
        .map_or(&[], |entry| &entry.key)
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn a_value_is_stored_once_until_it_is_unused() {
        let mut names = Interner::new();
        let cart = names.intern(b"cart", || 1);
        let shop = names.intern(b"shop", || 2);
        assert_eq!(names.intern(b"cart", || 9), cart);
        assert_eq!(names.get(cart), &1);
        let mut used = names.unused_flags();
        used[shop as usize] = true;
        names.sweep(&used);
        assert_eq!(names.len(), 1);
        assert_eq!(
            names.intern(b"mail", || 3),
            cart,
            "the number is free again"
        );
        assert_eq!(names.intern(b"shop", || 9), shop);
        assert_eq!(names.key(cart), b"mail");
    }
}
