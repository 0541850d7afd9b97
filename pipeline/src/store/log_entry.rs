//! A commit as it stands in the log: JSON, compressed with zstd.
//!
//! Most of an entry are uids, which resemble each other: 128 kB of them take 8 kB. Each transaction writes an
//! entry, and only other processes read it.

use std::io::Read;

use crate::graph_store::Commit;

const LEVEL: i32 = 1;

/// Bytes of JSON that are read: above what the uids of [`Commit::MOST`] rows take, unless they are very long.
const LARGEST: u64 = 64 << 20;

pub(super) fn encode(commit: &Commit) -> Vec<u8> {
    let json = serde_json::to_vec(commit).unwrap_or_default();
    zstd::bulk::compress(&json, LEVEL).unwrap_or_default()
}

/// None of an entry that this version cannot read.
pub(super) fn decode(entry: &[u8]) -> Option<Commit> {
    let mut json = Vec::new();
    let decoder = zstd::Decoder::new(entry).ok()?;
    decoder.take(LARGEST).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::graph_store::Commit;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_is_small() {
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
    fn an_entry_of_another_format_is_not_read() {
        for entry in [&b""[..], b"{}", b"\x28\xb5\x2f\xfd", &[0xff; 100]] {
            assert_eq!(decode(entry), None);
        }
    }
}
