//! Requests at random, and what is left of them when JSON is changed at random.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value as Json, json};

use super::read;
use crate::Signal;
use crate::otlp::descriptors::{LOGS_REQUEST, METRICS_REQUEST, Message, TRACES_REQUEST};
use crate::otlp::json::decode::to_protobuf;
use crate::otlp::json::walk::to_json;
use crate::otlp::tests::{hostile, requests};

/// Writes and reads the request. Nothing of it is lost, and nothing takes more bytes than prost needs.
fn there_and_back<R>(request: &R, message: &'static Message) -> Result<(), TestCaseError>
where
    R: prost::Message + Default + std::fmt::Debug,
{
    let sent = request.encode_to_vec();
    let json = to_json(&sent, message).unwrap();
    let read = to_protobuf(json.as_bytes(), message).unwrap();
    // As text, since NaN is not itself.
    let texts = [&sent, &read].map(|bytes| format!("{:?}", R::decode(bytes.as_slice()).unwrap()));
    prop_assert_eq!(&texts[1], &texts[0]);
    let canonical = R::decode(read.as_slice()).unwrap().encoded_len();
    prop_assert_eq!(read.len(), canonical);
    prop_assert_eq!(to_json(&read, message).unwrap(), json);
    Ok(())
}

/// A request in JSON.
fn any_json() -> impl Strategy<Value = (Signal, String)> {
    fn json(request: &impl prost::Message, message: &'static Message) -> String {
        to_json(&request.encode_to_vec(), message).unwrap()
    }
    prop_oneof![
        requests::traces().prop_map(|request| (Signal::Traces, json(&request, &TRACES_REQUEST))),
        requests::metrics().prop_map(|request| (Signal::Metrics, json(&request, &METRICS_REQUEST))),
        requests::logs().prop_map(|request| (Signal::Logs, json(&request, &LOGS_REQUEST))),
    ]
}

/// Accepted requests can be written and read again; others are rejected with a place.
fn accepted_or_rejected(signal: Signal, json: &str) -> Result<(), TestCaseError> {
    match read(signal, json) {
        Ok(batch) => {
            let written = super::encode(&batch).unwrap();
            let again = read(signal, &written).unwrap();
            prop_assert_eq!(super::encode(&again).unwrap(), written);
        }
        Err(rejection) => {
            let has_place = rejection.starts_with("resource")
                || rejection.contains(" at byte ")
                || rejection.starts_with("expected an object, found ");
            prop_assert!(has_place, "{}", rejection);
        }
    }
    Ok(())
}

/// How many values there are in the JSON, itself too.
fn count(json: &Json) -> usize {
    1 + match json {
        Json::Array(items) => items.iter().map(count).sum(),
        Json::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Puts another value in the place of the one that comes after so many.
fn replace(json: &mut Json, place: &mut usize, other: &Json) {
    if *place == 0 {
        *json = other.clone();
        *place = usize::MAX;
        return;
    }
    *place = place.wrapping_sub(1);
    match json {
        Json::Array(items) => items
            .iter_mut()
            .for_each(|item| replace(item, place, other)),
        Json::Object(fields) => {
            fields
                .values_mut()
                .for_each(|field| replace(field, place, other));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn traces_are_read_as_they_are_written(request in requests::traces()) {
        there_and_back::<ExportTraceServiceRequest>(&request, &TRACES_REQUEST)?;
    }

    #[test]
    fn metrics_are_read_as_they_are_written(request in requests::metrics()) {
        there_and_back::<ExportMetricsServiceRequest>(&request, &METRICS_REQUEST)?;
    }

    #[test]
    fn logs_are_read_as_they_are_written(request in requests::logs()) {
        there_and_back::<ExportLogsServiceRequest>(&request, &LOGS_REQUEST)?;
    }

    #[test]
    fn fields_in_any_order_and_messages_in_pieces_are_written_as_prost_reads_them(
        traces in requests::traces(), metrics in requests::metrics(), seed in any::<u64>(),
    ) {
        pieces(Signal::Traces, &traces, hostile::TRACES, seed)?;
        pieces(Signal::Metrics, &metrics, hostile::METRICS, seed)?;
    }

    #[test]
    fn changed_bytes_of_json_are_accepted_or_rejected_with_a_place(
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
        accepted_or_rejected(signal, &String::from_utf8(bytes).unwrap())?;
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
    fn values_of_another_type_are_accepted_or_rejected_with_a_path(
        (signal, json) in any_json(),
        place in any::<Index>(),
        other in select(vec![
            json!(null), json!(true), json!(-1), json!(1.5), json!(1e300), json!(""), json!("x"), json!("12"),
            json!("NaN"), json!([]), json!([null]), json!({}), json!({"a": [1]}), json!([{}, {}]),
        ]),
    ) {
        let mut changed: Json = serde_json::from_str(&json).unwrap();
        let mut place = place.index(count(&changed));
        replace(&mut changed, &mut place, &other);
        accepted_or_rejected(signal, &changed.to_string())?;
    }
}

fn pieces<R: prost::Message + Default>(
    signal: Signal,
    request: &R,
    shape: &hostile::Shape,
    seed: u64,
) -> Result<(), TestCaseError> {
    let shuffled = hostile::shuffle(&request.encode_to_vec(), seed, shape);
    let merged = R::decode(shuffled.as_slice()).unwrap().encode_to_vec();
    let written = [shuffled, merged].map(|bytes| {
        let batch = crate::otlp::decode(signal, bytes.into(), "otlp", crate::Delivery::nobody());
        super::encode(&batch.unwrap()).unwrap()
    });
    prop_assert_eq!(&written[0], &written[1]);
    Ok(())
}
