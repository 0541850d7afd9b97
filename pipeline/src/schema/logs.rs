//! The columns of `logs`: one row for each log record (opentelemetry/proto/logs/v1/logs.proto). `time` is its time,
//! else the time at which it was observed.

use super::{columns, types};

columns! {
    /// `LogRecord.time_unix_nano` as received: nanoseconds since 1970, 0 if it is unknown.
    TIME_UNIX_NANO "time_unix_nano": types::uint64();
    /// `LogRecord.observed_time_unix_nano` as received: nanoseconds since 1970, 0 if it is missing.
    OBSERVED_TIME_UNIX_NANO "observed_time_unix_nano": types::uint64();
    /// `LogRecord.severity_number` as on the wire: 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn,
    /// 17-20 error, 21-24 fatal, 0 missing.
    SEVERITY_NUMBER "severity_number": types::int32();
    /// `LogRecord.severity_text`, the level in the words of the source; empty if it is missing.
    SEVERITY_TEXT "severity_text": types::text();
    /// `LogRecord.event_name`; empty if the record is not an event.
    EVENT_NAME "event_name": types::text();
    /// `LogRecord.trace_id`, 16 bytes; null if it is missing.
    TRACE_ID "trace_id": types::trace_id() => nullable;
    /// `LogRecord.span_id`, 8 bytes; null if it is missing.
    SPAN_ID "span_id": types::span_id() => nullable;
    /// `LogRecord.flags`: W3C trace flags in bits 0-7.
    FLAGS "flags": types::uint32();
    /// `LogRecord.body`; null if the record has none.
    BODY "body": types::value() => nullable;
    /// `LogRecord.attributes`.
    ATTRIBUTES "attributes": types::attributes();
    /// `LogRecord.dropped_attributes_count`.
    DROPPED_ATTRIBUTES_COUNT "dropped_attributes_count": types::uint32();
}
