//! Random requests, and random changes of JSON.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value as Json, json};

use super::read;
use crate::Signal;
use crate::otlp::descriptors::{LOGS_REQUEST, METRICS_REQUEST, MessageDescriptor, TRACES_REQUEST};
use crate::otlp::json::decode::to_protobuf;
use crate::otlp::json::protobuf_to_json::to_json;
use crate::otlp::tests::{requests, unusual_encoding};

/// Checks that writing a request as JSON and reading it again does not change it, and that the result has as many bytes
/// as prost writes.
fn check_round_trip<R>(
    request: &R,
    message: &'static MessageDescriptor,
) -> Result<(), TestCaseError>
where
    R: prost::Message + Default + std::fmt::Debug,
{
    let sent = request.encode_to_vec();
    let json = to_json(&sent, message).unwrap();
    let read = to_protobuf(json.as_bytes(), message).unwrap();
    // Compared as text, since NaN does not equal itself.
    let texts = [&sent, &read].map(|bytes| format!("{:?}", R::decode(bytes.as_slice()).unwrap()));
    prop_assert_eq!(&texts[1], &texts[0]);
    let canonical = R::decode(read.as_slice()).unwrap().encoded_len();
    prop_assert_eq!(read.len(), canonical);
    prop_assert_eq!(to_json(&read, message).unwrap(), json);
    Ok(())
}

/// A request in JSON.
fn any_json() -> impl Strategy<Value = (Signal, String)> {
    fn json(request: &impl prost::Message, message: &'static MessageDescriptor) -> String {
        to_json(&request.encode_to_vec(), message).unwrap()
    }
    prop_oneof![
        requests::traces().prop_map(|request| (Signal::Traces, json(&request, &TRACES_REQUEST))),
        requests::metrics().prop_map(|request| (Signal::Metrics, json(&request, &METRICS_REQUEST))),
        requests::logs().prop_map(|request| (Signal::Logs, json(&request, &LOGS_REQUEST))),
    ]
}

/// Checks that a request is either accepted or rejected with a position. An accepted request must not change when it is
/// written and read again.
fn check_accepted_or_rejected(signal: Signal, json: &str) -> Result<(), TestCaseError> {
    match read(signal, json) {
        Ok(batch) => {
            let written = super::encode(&batch).unwrap();
            let again = read(signal, &written).unwrap();
            prop_assert_eq!(super::encode(&again).unwrap(), written);
        }
        Err(rejection) => {
            let has_position = rejection.starts_with("resource")
                || rejection.contains(" at byte ")
                || rejection.starts_with("expected an object, found ");
            prop_assert!(has_position, "{}", rejection);
        }
    }
    Ok(())
}

/// The number of values in the JSON, including the outermost one.
fn count(json: &Json) -> usize {
    1 + match json {
        Json::Array(items) => items.iter().map(count).sum(),
        Json::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Replaces the value at `index` (from 0) in depth-first order by `other`.
fn replace(json: &mut Json, index: &mut usize, other: &Json) {
    if *index == 0 {
        *json = other.clone();
        *index = usize::MAX;
        return;
    }
    *index = index.wrapping_sub(1);
    match json {
        Json::Array(items) => items
            .iter_mut()
            .for_each(|item| replace(item, index, other)),
        Json::Object(fields) => {
            fields
                .values_mut()
                .for_each(|field| replace(field, index, other));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn traces_survive_a_round_trip(request in requests::traces()) {
        check_round_trip::<ExportTraceServiceRequest>(&request, &TRACES_REQUEST)?;
    }

    #[test]
    fn metrics_survive_a_round_trip(request in requests::metrics()) {
        check_round_trip::<ExportMetricsServiceRequest>(&request, &METRICS_REQUEST)?;
    }

    #[test]
    fn logs_survive_a_round_trip(request in requests::logs()) {
        check_round_trip::<ExportLogsServiceRequest>(&request, &LOGS_REQUEST)?;
    }

    #[test]
    fn shuffled_fields_and_split_messages_are_written_as_prost_reads_them(
        traces in requests::traces(), metrics in requests::metrics(), seed in any::<u64>(),
    ) {
        check_unusual_encoding(Signal::Traces, &traces, unusual_encoding::TRACES, seed)?;
        check_unusual_encoding(Signal::Metrics, &metrics, unusual_encoding::METRICS, seed)?;
    }

    #[test]
    fn json_with_changed_bytes_is_accepted_or_rejected_with_a_position(
        (signal, json) in any_json(),
        changes in prop::collection::vec((any::<Index>(), select(&b"\"\\{}[],:0123456789.-+eEntu \nA"[..])), 1..4),
    ) {
        let mut bytes = json.into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            if bytes[at].is_ascii() {
                bytes[at] = byte;
            }
        }
        check_accepted_or_rejected(signal, &String::from_utf8(bytes).unwrap())?;
    }

    #[test]
    fn json_that_is_cut_off_is_rejected((signal, json) in any_json(), cut in any::<Index>()) {
        let mut cut = cut.index(json.len());
        while !json.is_char_boundary(cut) {
            cut -= 1;
        }
        prop_assert!(read(signal, &json[..cut]).is_err());
    }

    #[test]
    fn json_with_a_replaced_value_is_accepted_or_rejected_with_a_path(
        (signal, json) in any_json(),
        index in any::<Index>(),
        other in select(vec![
            json!(null), json!(true), json!(-1), json!(1.5), json!(1e300), json!(""), json!("x"), json!("12"),
            json!("NaN"), json!([]), json!([null]), json!({}), json!({"a": [1]}), json!([{}, {}]),
        ]),
    ) {
        let mut changed: Json = serde_json::from_str(&json).unwrap();
        let mut index = index.index(count(&changed));
        replace(&mut changed, &mut index, &other);
        check_accepted_or_rejected(signal, &changed.to_string())?;
    }
}

/// Checks that a request in an unusual encoding is written as the same request in prost's encoding.
fn check_unusual_encoding<R: prost::Message + Default>(
    signal: Signal,
    request: &R,
    shape: &unusual_encoding::MessageShape,
    seed: u64,
) -> Result<(), TestCaseError> {
    let shuffled = unusual_encoding::shuffle(&request.encode_to_vec(), seed, shape);
    let merged = R::decode(shuffled.as_slice()).unwrap().encode_to_vec();
    let written = [shuffled, merged].map(|bytes| {
        let batch = crate::otlp::decode(signal, bytes.into(), "otlp", crate::Delivery::untracked());
        super::encode(&batch.unwrap()).unwrap()
    });
    prop_assert_eq!(&written[0], &written[1]);
    Ok(())
}
