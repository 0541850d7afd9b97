//! Interns keys in memory: stores each key once and assigns it a number.
//!
//! Words of a store are not interned here: its backend assigns their numbers, for all processes.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Keys of type `str` or `[u8]` by number, each with a value. The first key gets number 0. A key keeps its number until
/// [`Interner::sweep`] removes it as unused.
#[derive(Debug)]
pub struct Interner<K: ?Sized, T> {
    /// The numbers in use, by the hash of their key.
    numbers: HashTable<u32>,
    /// The key and value of each number; `None` if the number is free.
    entries: Vec<Option<Entry<K, T>>>,
    free: Vec<u32>,
    hashing: DefaultHashBuilder,
}

#[derive(Debug)]
struct Entry<K: ?Sized, T> {
    key: Box<K>,
    value: T,
}

impl<K: ?Sized, T> Default for Interner<K, T> {
    fn default() -> Interner<K, T> {
        Interner {
            numbers: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            hashing: DefaultHashBuilder::default(),
        }
    }
}

impl<K, T> Interner<K, T>
where
    K: Eq + Hash + ?Sized,
    Box<K>: for<'k> From<&'k K>,
{
    /// The number of interned keys.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether no key is interned.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The number of a key; `None` if the key is not interned.
    pub fn find(&self, key: &K) -> Option<u32> {
        self.find_hashed(self.hashing.hash_one(key), key)
    }

    fn find_hashed(&self, hash: u64, key: &K) -> Option<u32> {
        let is_same = |number: &u32| key_of(&self.entries, *number) == key;
        self.numbers.find(hash, is_same).copied()
    }

    /// Returns the number of a key. If the key is new, assigns a number to it and to the value that `make` returns.
    pub fn intern(&mut self, key: &K, make: impl FnOnce() -> T) -> u32 {
        let hash = self.hashing.hash_one(key);
        if let Some(number) = self.find_hashed(hash, key) {
            return number;
        }
        let entry = Some(Entry {
            key: Box::<K>::from(key),
            value: make(),
        });
        let entries = &mut self.entries;
        let number = match self.free.pop() {
            Some(number) => {
                entries[number as usize] = entry;
                number
            }
            None => {
                entries.push(entry);
                u32::try_from(entries.len() - 1).expect("memory holds fewer than 2^32 entries")
            }
        };
        self.numbers.insert_unique(hash, number, |&number| {
            self.hashing.hash_one(key_of(entries, number))
        });
        number
    }

    /// The key with this number, which must be in use.
    pub fn key(&self, number: u32) -> &K {
        key_of(&self.entries, number)
    }

    /// The value with this number, which must be in use.
    pub fn get(&self, number: u32) -> &T {
        &entry_of(&self.entries, number).value
    }

    /// The value with this number, which must be in use.
    pub fn get_mut(&mut self, number: u32) -> &mut T {
        let entry = self.entries[number as usize].as_mut();
        &mut entry.expect("a number in use has its entry").value
    }

    /// One flag for each number, all `false`. The caller sets the flags of the numbers that it still uses, and passes
    /// them to [`Interner::sweep`].
    pub fn unused_flags(&self) -> Vec<bool> {
        vec![false; self.entries.len()]
    }

    /// Removes all keys whose flag is `false` and frees their numbers.
    pub fn sweep(&mut self, used: &[bool]) {
        self.numbers.retain(|&mut number| used[number as usize]);
        for (number, entry) in (0..).zip(&mut self.entries) {
            if entry.is_some() && !used[number as usize] {
                *entry = None;
                self.free.push(number);
            }
        }
    }
}

fn key_of<K: ?Sized, T>(entries: &[Option<Entry<K, T>>], number: u32) -> &K {
    &entry_of(entries, number).key
}

fn entry_of<K: ?Sized, T>(entries: &[Option<Entry<K, T>>], number: u32) -> &Entry<K, T> {
    let entry = entries[number as usize].as_ref();
    entry.expect("a number in use has its entry")
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn a_key_is_stored_once_until_a_sweep_removes_it() {
        let mut names: Interner<str, i32> = Interner::default();
        assert!(names.is_empty());
        let cart = names.intern("cart", || 1);
        let shop = names.intern("shop", || 2);
        assert_eq!(names.intern("cart", || 9), cart);
        assert_eq!(names.get(cart), &1);
        let mut used = names.unused_flags();
        used[shop as usize] = true;
        names.sweep(&used);
        assert_eq!(names.len(), 1);
        assert_eq!(names.find("cart"), None);
        assert_eq!(names.intern("mail", || 3), cart, "the number is free again");
        assert_eq!(names.intern("shop", || 9), shop);
        assert_eq!(names.key(cart), "mail");
    }

    #[test]
    fn numbers_are_consecutive_without_sweeps() {
        let mut names: Interner<[u8], ()> = Interner::default();
        for number in 0..300 {
            assert_eq!(names.intern(format!("{number}").as_bytes(), || ()), number);
        }
        assert_eq!(names.find(b"299"), Some(299));
    }
}
