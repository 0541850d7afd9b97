//! The entry of a commit in the log of commits: JSON, compressed with zstd.
//!
//! An entry is mostly uids, which resemble each other: 128 kB of uids compress to 8 kB. Almost every transaction
//! appends an entry, so the fastest compression level is used.

use std::io::Read;

use crate::graph_store::Commit;

const COMPRESSION_LEVEL: i32 = 1;

/// The longest JSON that `decode` reads, in bytes. A commit of [`Commit::MAX_ITEMS`] rows is shorter unless its uids
/// are very long.
const MAX_JSON_BYTES: u64 = 64 << 20;

/// Encodes a commit.
pub(super) fn encode(commit: &Commit) -> Vec<u8> {
    let json = serde_json::to_vec(commit).unwrap_or_default();
    zstd::bulk::compress(&json, COMPRESSION_LEVEL).unwrap_or_default()
}

/// Decodes a commit; `None` for an entry that this version cannot read.
pub(super) fn decode(entry: &[u8]) -> Option<Commit> {
    let mut json = Vec::new();
    let decoder = zstd::Decoder::new(entry).ok()?;
    decoder.take(MAX_JSON_BYTES).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::graph_store::Commit;

    #[test]
    fn entry_is_small_and_decodes_to_the_same_commit() {
        let node = |number| format!("k8s://0d1c2b3a-0000-4000-8000-000000000001//pod/{number:032}");
        let commit = Commit {
            writer: 7,
            nodes: (0..1000).map(node).collect(),
            truncated: true,
            ..Commit::default()
        };
        let entry = encode(&commit);
        assert!(entry.len() < 10_000, "{}", entry.len());
        assert_eq!(decode(&entry), Some(commit));
    }

    #[test]
    fn entry_of_another_format_does_not_decode() {
        for entry in [&b""[..], b"{}", b"\x28\xb5\x2f\xfd", &[0xff; 100]] {
            assert_eq!(decode(entry), None);
        }
    }
}
