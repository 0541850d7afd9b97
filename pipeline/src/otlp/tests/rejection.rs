//! Requests that prost rejects are rejected, with a position.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::decode;
use crate::{Batch, Delivery, Signal};

/// Wraps `content` in nested fields. `numbers` are their field numbers, the outermost first.
fn within(numbers: &[u32], content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    for number in numbers.iter().rev() {
        let mut outer = Vec::new();
        prost::encoding::encode_key(
            *number,
            prost::encoding::WireType::LengthDelimited,
            &mut outer,
        );
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    bytes
}

fn read(signal: Signal, bytes: &[u8]) -> Result<Batch, String> {
    let request = Bytes::copy_from_slice(bytes);
    decode(signal, request, "otlp", Delivery::untracked()).map_err(|error| error.to_string())
}

/// The field numbers of an attribute of a span in a request.
const SPAN_ATTRIBUTE: [u32; 4] = [1, 2, 2, 9];

#[test]
fn key_index_with_the_wrong_wire_type_is_rejected() {
    for entry in [
        &b"\x1a\x01a"[..],
        b"\x1d\0\0\0\0",
        b"\x0a\x01k\x12\x00\x1a\x00",
    ] {
        let bytes = within(&SPAN_ATTRIBUTE, entry);
        assert!(ExportTraceServiceRequest::decode(bytes.as_slice()).is_err());
        let rejection = read(Signal::Traces, &bytes).unwrap_err();
        assert!(
            rejection.starts_with("field 3 with wire type "),
            "{rejection}"
        );
        assert!(rejection.contains(" at byte "), "{rejection}");
    }
    let right = within(&SPAN_ATTRIBUTE, b"\x0a\x01k\x18\x05");
    assert!(read(Signal::Traces, &right).is_ok());
}

#[test]
fn text_index_with_the_wrong_wire_type_is_rejected_at_any_depth() {
    // `AnyValue.string_value_strindex` as bytes, alone, in an array and in a map.
    for values in [&[2][..], &[2, 5, 1], &[2, 6, 1, 2], &[2, 6, 1, 2, 5, 1]] {
        let path = [&SPAN_ATTRIBUTE, values].concat();
        let bytes = within(&path, b"\x42\x00");
        assert!(ExportTraceServiceRequest::decode(bytes.as_slice()).is_err());
        let rejection = read(Signal::Traces, &bytes).unwrap_err();
        assert!(
            rejection.starts_with("field 8 with wire type 2"),
            "{rejection}"
        );
        assert!(read(Signal::Traces, &within(&path, b"\x40\x07")).is_ok());
    }
}

#[test]
fn replaced_member_of_a_oneof_is_checked() {
    let sum = within(&[7], b"");
    for gauge in [
        &b"\x0a\x05"[..],
        b"\x08\x01",
        &within(&[1, 7, 1], b"\xff"),
        &within(&[1], b"\x11"),
    ] {
        let metric = [within(&[5], gauge), sum.clone()].concat();
        let bytes = within(&[1, 2, 2], &metric);
        assert!(ExportMetricsServiceRequest::decode(bytes.as_slice()).is_err());
        let rejection = read(Signal::Metrics, &bytes).unwrap_err();
        assert!(rejection.contains(" at byte "), "{rejection}");
    }
    let replaced = [within(&[5, 1, 7, 1], b"key"), sum].concat();
    assert!(read(Signal::Metrics, &within(&[1, 2, 2], &replaced)).is_ok());
}

#[test]
fn nesting_limit_is_that_of_prost() {
    let array = [5, 1];
    let map = [6, 1, 2];
    let limits = |signal, path: &[u32], prost: fn(&[u8]) -> bool| {
        for inner in [&array[..], &map] {
            for depth in 0..60 {
                for tail in [
                    &b""[..],
                    b"\x0a\x01x",
                    b"\x2a\x00",
                    b"\x32\x02\x0a\x00",
                    b"\xc0\x3e\x01",
                ] {
                    let values = inner.repeat(depth);
                    let bytes = within(&[path, &values].concat(), tail);
                    let length = path.len() + values.len();
                    let accepted = read(signal, &bytes);
                    assert_eq!(
                        accepted.is_ok(),
                        prost(&bytes),
                        "{length} {tail:?} {accepted:?}"
                    );
                }
            }
        }
    };
    for path in [
        &[1, 1, 1, 2][..],
        &[1, 2, 1, 3, 2],
        &[1, 2, 2, 9, 2],
        &[1, 2, 2, 11, 3, 2],
    ] {
        limits(Signal::Traces, path, |bytes| {
            ExportTraceServiceRequest::decode(bytes).is_ok()
        });
    }
    for path in [
        &[1, 2, 2, 12, 2][..],
        &[1, 2, 2, 5, 1, 7, 2],
        &[1, 2, 2, 5, 1, 5, 7, 2],
    ] {
        limits(Signal::Metrics, path, |bytes| {
            ExportMetricsServiceRequest::decode(bytes).is_ok()
        });
    }
    for path in [&[1, 2, 2, 5][..], &[1, 2, 2, 6, 2]] {
        limits(Signal::Logs, path, |bytes| {
            ExportLogsServiceRequest::decode(bytes).is_ok()
        });
    }
}
