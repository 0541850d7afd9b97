//! Hashes that are stored.

use xxhash_rust::xxh3::Xxh3Default;

/// A hash of several values that may be missing (XXH3, 64 bits, stable for ever: it is stored);
/// never 0 or 1, which have a meaning of their own.
pub fn hash_of<'a>(parts: impl IntoIterator<Item = Option<&'a [u8]>>) -> u64 {
    let mut hasher = Xxh3Default::new();
    for part in parts {
        // The length before each, so that no two lists of parts look alike.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hasher.update(&length.to_le_bytes());
        hasher.update(part.unwrap_or_default());
    }
    hasher.digest().max(2)
}
