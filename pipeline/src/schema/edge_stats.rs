//! The columns of `edge_stats`: the calls on an edge, for each minute of event time. `uid` is the node where the edge
//! starts, `time` the start of the minute. The values are totals of the minute, not differences to an earlier row.
//!
//! Of the rows with the same (`uid`, `kind`, `to`, `connection_type`, `time`, `writer`, `chunk`), the one with the most
//! `calls` wins. Readers sum the rows of different writers and chunks.

use super::{columns, types};

columns! {
    /// Kind of the edge, `CALLS`.
    KIND "kind": types::word();
    /// The uid that the edge leads to.
    TO "to": types::text();
    /// Empty, `messaging_system`, `database` or `virtual_node`, as in the Collector's service graph.
    CONNECTION_TYPE "connection_type": types::word();
    /// The process that counted. It has a new id at each start, unless it keeps storage.
    WRITER "writer": types::text();
    /// Part of the minute. If calls arrive after the writer evicted the minute, it starts the next chunk.
    CHUNK "chunk": types::uint32();
    /// The number of calls in the minute.
    CALLS "calls": types::uint64();
    /// The number of failed calls.
    ERRORS "errors": types::uint64();
    /// Sum of the durations of the calls, in seconds: of the server span, else of the client span.
    DURATION_SUM "duration_sum": types::float64();
    /// Duration of the longest call, in seconds.
    DURATION_MAX "duration_max": types::float64();
    /// Scale of the exponential histogram of durations in seconds (OTLP): base is 2^(2^-scale).
    DURATION_SCALE "duration_scale": types::int32();
    /// Index of the first bucket of the histogram; bucket i counts durations in (base^i, base^(i+1)].
    DURATION_OFFSET "duration_offset": types::int32();
    /// Counts of the histogram. Durations of zero are in no bucket.
    DURATION_COUNTS "duration_counts": types::list(types::uint64());
}
