//! The hash function for values that stores keep.

use xxhash_rust::xxh3::Xxh3Default;

/// The hash of a list of values that may be missing (XXH3, 64 bits). It never changes between versions, since stores
/// keep it. Never 0 or 1, which have special meanings.
pub fn hash_of<'a>(parts: impl IntoIterator<Item = Option<&'a [u8]>>) -> u64 {
    let mut hasher = Xxh3Default::new();
    for part in parts {
        // Each part is hashed with its length, so that different lists do not give the same bytes.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hasher.update(&length.to_le_bytes());
        hasher.update(part.unwrap_or_default());
    }
    hasher.digest().max(2)
}
