//! Encodes the statistics of one minute, part of the edges, writer and chunk as bytes.
//!
//! Edges ascend by (from, kind, to, connection type). Each edge is: `from` minus the `from` of the previous edge,
//! kind, to, connection type, calls, errors (varints); the sum and the maximum of the durations (8 bytes each,
//! little endian); scale, first bucket (zigzag varints); the number of buckets, and the count of each (varints).
//! Varints and zigzag are those of Protocol Buffers.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::store::rows::{EdgeStatsRow, StatsEdge, Word};
use prost::bytes::Buf;
use prost::encoding::{decode_varint, encode_varint};

/// The key of a row of `edge_stats` or `edge_stats_hourly`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackedKey {
    pub(super) minute: UnixNanos,
    /// The part of the edges, see [`StatsEdge::part`].
    pub(super) part: u8,
    pub(super) writer: Word,
    pub(super) chunk: u32,
}

/// The statistics of one key, by edge.
pub(super) type StatsByEdge = BTreeMap<StatsEdge, EdgeStatsRow>;

/// Encodes the statistics of one key.
pub(super) fn encode(rows: &StatsByEdge) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * 48);
    let mut previous_from = 0;
    for (edge, row) in rows {
        let head = [
            (edge.from - previous_from).cast_unsigned(),
            edge.kind.cast_unsigned(),
            edge.to.cast_unsigned(),
            edge.connection_type.cast_unsigned(),
            row.calls,
            row.errors,
        ];
        previous_from = edge.from;
        for number in head {
            encode_varint(number, &mut bytes);
        }
        bytes.extend(row.duration_sum.to_le_bytes());
        bytes.extend(row.duration_max.to_le_bytes());
        encode_varint(zigzag(row.scale), &mut bytes);
        encode_varint(zigzag(row.offset), &mut bytes);
        encode_varint(row.counts.len() as u64, &mut bytes);
        for count in &row.counts {
            encode_varint(*count, &mut bytes);
        }
    }
    bytes
}

/// Decodes the statistics of a key, and calls `each` for each edge in order.
///
/// # Errors
/// If the bytes are cut off.
pub(super) fn decode(
    key: &PackedKey,
    mut bytes: &[u8],
    mut each: impl FnMut(EdgeStatsRow),
) -> Result<(), sqlx::Error> {
    let cut_off = || sqlx::Error::Decode("edge statistics are cut off".into());
    let bytes = &mut bytes;
    let mut from = 0;
    while bytes.has_remaining() {
        let mut head = [0; 6];
        for number in &mut head {
            *number = varint(bytes)?;
        }
        let [from_difference, kind, to, connection_type, calls, errors] = head;
        from += from_difference.cast_signed();
        let duration_sum = bytes.try_get_f64_le().map_err(|_| cut_off())?;
        let duration_max = bytes.try_get_f64_le().map_err(|_| cut_off())?;
        let (scale, offset) = (unzigzag(varint(bytes)?), unzigzag(varint(bytes)?));
        let buckets = varint(bytes)?;
        // Each count has at least one byte.
        if buckets > bytes.remaining() as u64 {
            return Err(cut_off());
        }
        let counts = (0..buckets).map(|_| varint(bytes));
        let counts = counts.collect::<Result<Vec<u64>, sqlx::Error>>()?;
        each(EdgeStatsRow {
            minute: key.minute,
            from,
            kind: kind.cast_signed(),
            to: to.cast_signed(),
            connection_type: connection_type.cast_signed(),
            writer: key.writer,
            chunk: key.chunk,
            calls,
            errors,
            duration_sum,
            duration_max,
            scale,
            offset,
            counts,
        });
    }
    Ok(())
}

fn varint(bytes: &mut &[u8]) -> Result<u64, sqlx::Error> {
    decode_varint(bytes).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn zigzag(number: i32) -> u64 {
    u64::from(((number << 1) ^ (number >> 31)).cast_unsigned())
}

fn unzigzag(number: u64) -> i32 {
    let number = number as u32;
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}
