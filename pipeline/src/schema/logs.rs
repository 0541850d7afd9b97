//! `logs`: one row a log record (opentelemetry/proto/logs/v1/logs.proto). `time` is its time, else
//! the time at which it was observed.

use super::{columns, types};

columns! {
    /// `LogRecord.time_unix_nano` as it came: nanoseconds since 1970, 0 where unknown.
    TIME_UNIX_NANO "time_unix_nano": types::uint64();
    /// `LogRecord.observed_time_unix_nano` as it came: nanoseconds since 1970, 0 where not given.
    OBSERVED_TIME_UNIX_NANO "observed_time_unix_nano": types::uint64();
    /// `LogRecord.severity_number` as on the wire: 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn,
    /// 17-20 error, 21-24 fatal, 0 not given.
    SEVERITY_NUMBER "severity_number": types::int32();
    /// `LogRecord.severity_text`, the source's own word; empty where not given.
    SEVERITY_TEXT "severity_text": types::text();
    /// `LogRecord.event_name`; empty where the record is no event.
    EVENT_NAME "event_name": types::text();
    /// `LogRecord.trace_id`, 16 bytes; null where the wire has none.
    TRACE_ID "trace_id": types::trace_id() => nullable;
    /// `LogRecord.span_id`, 8 bytes; null where the wire has none.
    SPAN_ID "span_id": types::span_id() => nullable;
    /// `LogRecord.flags`: W3C trace flags in bits 0-7.
    FLAGS "flags": types::uint32();
    /// `LogRecord.body`; null where the record has none.
    BODY "body": types::value() => nullable;
    /// `LogRecord.attributes`.
    ATTRIBUTES "attributes": types::attributes();
    /// `LogRecord.dropped_attributes_count`.
    DROPPED_ATTRIBUTES_COUNT "dropped_attributes_count": types::uint32();
}
