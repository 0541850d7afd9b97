//! The stored format of a snapshot: one immutable blob of edges or aliases.
//!
//! Numbers are little endian. Texts and bytes follow their length, a `u32`; the length `u32::MAX` stands for `None`.

use super::rows::{NodeId, Word};
use crate::component::UnixNanos;

/// An edge of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SnapshotEdge {
    pub kind: Word,
    pub to: NodeId,
    pub confidence: f64,
    /// Encoded attributes.
    pub properties: Option<Vec<u8>>,
}

/// An alias of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SnapshotAlias {
    pub kind: Word,
    pub value: String,
    pub within: Word,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
}

/// Encodes the edges of a snapshot, in the given order.
pub(super) fn encode_edges(items: &[SnapshotEdge]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(items.len() * 28);
    for item in items {
        bytes.extend_from_slice(&item.kind.to_le_bytes());
        bytes.extend_from_slice(&item.to.to_le_bytes());
        bytes.extend_from_slice(&item.confidence.to_le_bytes());
        write_bytes(&mut bytes, item.properties.as_deref());
    }
    bytes
}

/// Decodes the edges of a snapshot, up to the first truncated one.
pub(super) fn decode_edges(bytes: &[u8]) -> Vec<SnapshotEdge> {
    let mut reader = Reader(bytes);
    let next = || {
        Some(SnapshotEdge {
            kind: reader.number()?,
            to: reader.number()?,
            confidence: f64::from_le_bytes(reader.eight_bytes()?),
            properties: reader.bytes()?,
        })
    };
    std::iter::from_fn(next).collect()
}

/// Encodes the aliases of a snapshot, in the given order.
pub(super) fn encode_aliases(items: &[SnapshotAlias]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(items.len() * 64);
    for item in items {
        bytes.extend_from_slice(&item.kind.to_le_bytes());
        bytes.extend_from_slice(&item.within.to_le_bytes());
        for time in [item.valid_from, item.valid_to] {
            let nanos = time.map_or(u64::MAX, |time| time.0);
            bytes.extend_from_slice(&nanos.to_le_bytes());
        }
        write_bytes(&mut bytes, Some(item.value.as_bytes()));
    }
    bytes
}

/// Decodes the aliases of a snapshot, up to the first truncated one.
pub(super) fn decode_aliases(bytes: &[u8]) -> Vec<SnapshotAlias> {
    let mut reader = Reader(bytes);
    let next = || {
        let (kind, within) = (reader.number()?, reader.number()?);
        let mut time = || {
            let nanos = u64::from_le_bytes(reader.eight_bytes()?);
            Some((nanos != u64::MAX).then_some(UnixNanos(nanos)))
        };
        let (valid_from, valid_to) = (time()?, time()?);
        let value = String::from_utf8(reader.bytes()??).ok()?;
        Some(SnapshotAlias {
            kind,
            value,
            within,
            valid_from,
            valid_to,
        })
    };
    std::iter::from_fn(next).collect()
}

fn write_bytes(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    let length = value.map_or(u32::MAX, |value| {
        u32::try_from(value.len()).unwrap_or(u32::MAX - 1)
    });
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(value.unwrap_or_default());
}

/// Reads values from the beginning of a blob. Its functions return `None` if the blob is too short.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn eight_bytes(&mut self) -> Option<[u8; 8]> {
        let (first, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<i64> {
        self.eight_bytes().map(i64::from_le_bytes)
    }

    /// Reads a length and its bytes; the inner `None` is a stored `None`.
    fn bytes(&mut self) -> Option<Option<Vec<u8>>> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        let length = u32::from_le_bytes(*length);
        if length == u32::MAX {
            return Some(None);
        }
        let (value, rest) = self.0.split_at_checked(length as usize)?;
        self.0 = rest;
        Some(Some(value.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        SnapshotAlias, SnapshotEdge, decode_aliases, decode_edges, encode_aliases, encode_edges,
    };
    use crate::component::UnixNanos;

    #[test]
    fn decoding_returns_the_encoded_items() {
        let edge = |properties: Option<&[u8]>| SnapshotEdge {
            kind: 3,
            to: -7,
            confidence: 0.25,
            properties: properties.map(<[u8]>::to_vec),
        };
        let edges = [edge(None), edge(Some(b"")), edge(Some(b"abc"))];
        let bytes = encode_edges(&edges);
        assert_eq!(decode_edges(&bytes), edges);
        assert_eq!(decode_edges(&bytes[..bytes.len() - 1]), edges[..2]);
        let alias = |value: &str, valid_to| SnapshotAlias {
            kind: 1,
            value: value.to_owned(),
            within: 0,
            valid_from: None,
            valid_to,
        };
        let aliases = [alias("", None), alias("süd", Some(UnixNanos(9)))];
        assert_eq!(decode_aliases(&encode_aliases(&aliases)), aliases);
    }
}
