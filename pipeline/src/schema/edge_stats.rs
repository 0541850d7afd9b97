//! `edge_stats`: whole values of what grows on an edge, per minute of event time. `uid` is where
//! the edge starts, `time` when the minute starts.
//!
//! Rows of one (`uid`, `kind`, `to`, `connection_type`, `time`, `writer`, `chunk`) replace each
//! other, the one with more `calls` wins; over writers and chunks they are summed when read.

use super::{columns, types};

columns! {
    /// Kind of the edge, `CALLS`.
    KIND "kind": types::word();
    /// The uid that the edge leads to.
    TO "to": types::text();
    /// Empty, `messaging_system`, `database` or `virtual_node`, as the Collector's service graph.
    CONNECTION_TYPE "connection_type": types::word();
    /// Who counted: new at each start of a process that keeps no storage.
    WRITER "writer": types::text();
    /// Which part of the minute: a minute that was already evicted reopens as the next chunk.
    CHUNK "chunk": types::uint32();
    /// How many calls were seen in the minute.
    CALLS "calls": types::uint64();
    /// How many of them failed.
    ERRORS "errors": types::uint64();
    /// Sum of the calls' durations, in seconds: the server's span, else the client's.
    DURATION_SUM "duration_sum": types::float64();
    /// Longest call, in seconds.
    DURATION_MAX "duration_max": types::float64();
    /// Scale of the exponential histogram of durations in seconds (OTLP): base is 2^(2^-scale).
    DURATION_SCALE "duration_scale": types::int32();
    /// Index of its first bucket; bucket i counts durations in (base^i, base^(i+1)].
    DURATION_OFFSET "duration_offset": types::int32();
    /// Its counts; durations of zero are not in it.
    DURATION_COUNTS "duration_counts": types::list(types::uint64());
}
