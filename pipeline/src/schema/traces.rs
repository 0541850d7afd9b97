//! The columns of `traces`: one row for each span (opentelemetry/proto/trace/v1/trace.proto). `time` is its start.

use super::{columns, types};

columns! {
    /// `Span.trace_id`, 16 bytes; null if it is missing.
    TRACE_ID "trace_id": types::trace_id() => nullable;
    /// `Span.span_id`, 8 bytes; null if it is missing.
    SPAN_ID "span_id": types::span_id() => nullable;
    /// `Span.parent_span_id`, 8 bytes; null for a root span.
    PARENT_SPAN_ID "parent_span_id": types::span_id() => nullable;
    /// `Span.trace_state` (W3C); empty if it is missing.
    TRACE_STATE "trace_state": types::text();
    /// `Span.flags`: W3C trace flags in bits 0-7, "remote" in bits 8 and 9.
    FLAGS "flags": types::uint32();
    /// `Span.name`; empty if it is missing.
    NAME "name": types::text();
    /// `Span.kind` as on the wire: 0 unspecified, 1 internal, 2 server, 3 client,
    /// 4 producer, 5 consumer.
    KIND "kind": types::int32();
    /// `Span.start_time_unix_nano` as received: nanoseconds since 1970, 0 if it is missing.
    START_TIME_UNIX_NANO "start_time_unix_nano": types::uint64();
    /// `Span.end_time_unix_nano` as received: nanoseconds since 1970, 0 if it is missing.
    END_TIME_UNIX_NANO "end_time_unix_nano": types::uint64();
    /// `Status.code` as on the wire: 0 unset, 1 ok, 2 error; null if the span has no `Status`.
    STATUS_CODE "status_code": types::int32() => nullable;
    /// `Status.message`; null if the span has no `Status`.
    STATUS_MESSAGE "status_message": types::text() => nullable;
    /// `Span.attributes`.
    ATTRIBUTES "attributes": types::attributes();
    /// `Span.dropped_attributes_count`.
    DROPPED_ATTRIBUTES_COUNT "dropped_attributes_count": types::uint32();
    /// `Span.events` in order: time in nanoseconds since 1970, name, attributes, dropped count.
    EVENTS "events": types::list_of([
        types::uint64().named(event::TIME_UNIX_NANO, false),
        types::text().named(event::NAME, false),
        types::attributes().named(event::ATTRIBUTES, false),
        types::uint32().named(event::DROPPED_ATTRIBUTES_COUNT, false),
    ]);
    /// `Span.dropped_events_count`.
    DROPPED_EVENTS_COUNT "dropped_events_count": types::uint32();
    /// `Span.links` in order; ids are null if they are missing.
    LINKS "links": types::list_of([
        types::trace_id().named(link::TRACE_ID, true),
        types::span_id().named(link::SPAN_ID, true),
        types::text().named(link::TRACE_STATE, false),
        types::attributes().named(link::ATTRIBUTES, false),
        types::uint32().named(link::DROPPED_ATTRIBUTES_COUNT, false),
        types::uint32().named(link::FLAGS, false),
    ]);
    /// `Span.dropped_links_count`.
    DROPPED_LINKS_COUNT "dropped_links_count": types::uint32();
    /// The graph node of the peer of a client or producer span; null until it is resolved, and if it is unknown. OTLP
    /// does not carry this column.
    PEER_UID "peer_uid": types::text() => nullable;
}

/// The fields of one item of `events`.
pub mod event {
    pub const TIME_UNIX_NANO: &str = "time_unix_nano";
    pub const NAME: &str = "name";
    pub const ATTRIBUTES: &str = "attributes";
    pub const DROPPED_ATTRIBUTES_COUNT: &str = "dropped_attributes_count";
}

/// The fields of one item of `links`.
pub mod link {
    pub const TRACE_ID: &str = "trace_id";
    pub const SPAN_ID: &str = "span_id";
    pub const TRACE_STATE: &str = "trace_state";
    pub const ATTRIBUTES: &str = "attributes";
    pub const DROPPED_ATTRIBUTES_COUNT: &str = "dropped_attributes_count";
    pub const FLAGS: &str = "flags";
}
