//! The bytes of what one writer counted in a minute on some edges.
//!
//! Edges ascend by (from, kind, to, connection type). Each is: `from` less that of the edge before,
//! kind, to, connection type, calls, errors (varints); the sum and the greatest of the durations
//! (8 bytes each, little endian); scale, first bucket (zigzag varints); how many buckets, and of each
//! its count (varints). Varints and zigzag are those of Protocol Buffers.

use std::collections::BTreeMap;

use pipeline::store::rows::{EdgeStatsRow, StatsEdge};
use prost::bytes::Buf;
use prost::encoding::{decode_varint, encode_varint};

use super::edges::PackedKey;

/// The rows of a key, by edge.
pub(super) type Rows = BTreeMap<StatsEdge, EdgeStatsRow>;

pub(super) fn encode(rows: &Rows) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * 48);
    let mut before = 0;
    for (edge, row) in rows {
        let head = [
            (edge.from - before).cast_unsigned(),
            edge.kind.cast_unsigned(),
            edge.to.cast_unsigned(),
            edge.connection_type.cast_unsigned(),
            row.calls,
            row.errors,
        ];
        before = edge.from;
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

pub(super) fn decode(
    key: &PackedKey,
    mut bytes: &[u8],
    mut each: impl FnMut(EdgeStatsRow),
) -> Result<(), sqlx::Error> {
    let cut_off = || sqlx::Error::Decode("statistics of edges are cut off".into());
    let bytes = &mut bytes;
    let mut before = 0;
    while bytes.has_remaining() {
        let mut head = [0; 6];
        for number in &mut head {
            *number = varint(bytes)?;
        }
        let [from, kind, to, connection_type, calls, errors] = head;
        before += from.cast_signed();
        let duration_sum = bytes.try_get_f64_le().map_err(|_| cut_off())?;
        let duration_max = bytes.try_get_f64_le().map_err(|_| cut_off())?;
        let (scale, offset) = (unzigzag(varint(bytes)?), unzigzag(varint(bytes)?));
        let buckets = varint(bytes)?;
        // Each is a byte at least.
        if buckets > bytes.remaining() as u64 {
            return Err(cut_off());
        }
        let counts = (0..buckets).map(|_| varint(bytes));
        let counts = counts.collect::<Result<Vec<u64>, sqlx::Error>>()?;
        each(EdgeStatsRow {
            minute: key.minute,
            from: before,
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
