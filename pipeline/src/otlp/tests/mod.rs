//! Comparisons with prost. Decoding and encoding a request does not change how prost reads it, and a request that prost
//! rejects is rejected.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::{decode, encode};
use crate::{Batch, Delivery, Signal};

mod items;
mod rejection;
pub(super) mod requests;
pub(super) mod unusual_encoding;

use items::RequestItems;

/// Decodes a request, drops the original bytes and encodes it. Returns its items as prost reads them, after this and
/// before it.
fn round_trip<R: RequestItems>(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let batch = decode(
        R::SIGNAL,
        Bytes::copy_from_slice(bytes),
        "otlp",
        Delivery::untracked(),
    )
    .unwrap();
    let rows = batch.rows().clone();
    let encoded = encode(&batch.with_rows(rows).unwrap()).unwrap();
    (
        R::decode(encoded.as_ref()).unwrap().items(),
        R::decode(bytes).unwrap().items(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn traces_survive_a_round_trip(request in requests::traces()) {
        let (after, before) = round_trip::<ExportTraceServiceRequest>(&request.encode_to_vec());
        prop_assert_eq!(after, before);
    }

    #[test]
    fn metrics_survive_a_round_trip(request in requests::metrics()) {
        let (after, before) = round_trip::<ExportMetricsServiceRequest>(&request.encode_to_vec());
        prop_assert_eq!(after, before);
    }

    #[test]
    fn logs_survive_a_round_trip(request in requests::logs()) {
        let (after, before) = round_trip::<ExportLogsServiceRequest>(&request.encode_to_vec());
        prop_assert_eq!(after, before);
    }

    #[test]
    fn shuffled_fields_and_split_messages_are_read_as_prost_reads_them(
        request in requests::traces(), seed in any::<u64>(),
    ) {
        let bytes = unusual_encoding::shuffle(&request.encode_to_vec(), seed, unusual_encoding::TRACES);
        let (after, before) = round_trip::<ExportTraceServiceRequest>(&bytes);
        prop_assert_eq!(after, before);
    }

    #[test]
    fn shuffled_unpacked_and_split_metrics_are_read_as_prost_reads_them(
        request in requests::metrics(), seed in any::<u64>(),
    ) {
        let bytes = unusual_encoding::shuffle(&request.encode_to_vec(), seed, unusual_encoding::METRICS);
        let (after, before) = round_trip::<ExportMetricsServiceRequest>(&bytes);
        prop_assert_eq!(after, before);
    }

    #[test]
    fn malformed_bytes_never_panic_and_are_rejected_if_prost_rejects_them(
        request in requests::traces(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(),
        bits in 1u8..,
    ) {
        let mut bytes = request.encode_to_vec();
        prop_assume!(!bytes.is_empty());
        bytes.truncate(cut.index(bytes.len()) + 1);
        let at = flip.index(bytes.len());
        bytes[at] ^= bits;
        for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
            let _ = decode(signal, Bytes::from(bytes.clone()), "otlp", Delivery::untracked());
        }
        if ExportTraceServiceRequest::decode(bytes.as_slice()).is_err() {
            prop_assert!(decode(Signal::Traces, Bytes::from(bytes), "otlp", Delivery::untracked()).is_err());
        }
    }
}

/// If a request is accepted, checks that prost reads it and that its JSON is accepted.
fn check_accepted<R: RequestItems>(bytes: &[u8]) -> Result<(), TestCaseError> {
    let accepted = decode(
        R::SIGNAL,
        Bytes::copy_from_slice(bytes),
        "otlp",
        Delivery::untracked(),
    );
    let Ok(batch) = accepted else {
        return Ok(());
    };
    prop_assert!(R::decode(bytes).is_ok());
    let json = super::json::encode(&batch).unwrap();
    let again = super::json::decode(R::SIGNAL, json.as_bytes(), "otlp", Delivery::untracked());
    prop_assert_eq!(super::json::encode(&again.unwrap()).unwrap(), json);
    Ok(())
}

/// Encodes a request and changes a few bytes.
fn encode_changed(request: &impl Message, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = request.encode_to_vec();
    for (at, bits) in changes {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changed_traces_are_accepted_only_if_prost_accepts_them(
        request in requests::traces(), changes in vec(any::<(prop::sample::Index, u8)>(), 1..3),
    ) {
        check_accepted::<ExportTraceServiceRequest>(&encode_changed(&request, &changes))?;
    }

    #[test]
    fn changed_metrics_are_accepted_only_if_prost_accepts_them(
        request in requests::metrics(), changes in vec(any::<(prop::sample::Index, u8)>(), 1..3),
    ) {
        check_accepted::<ExportMetricsServiceRequest>(&encode_changed(&request, &changes))?;
    }

    #[test]
    fn changed_logs_are_accepted_only_if_prost_accepts_them(
        request in requests::logs(), changes in vec(any::<(prop::sample::Index, u8)>(), 1..3),
    ) {
        check_accepted::<ExportLogsServiceRequest>(&encode_changed(&request, &changes))?;
    }
}

/// Decodes and merges requests. Checks that prost reads the items of all requests from the encoded batch, with and
/// without its original bytes.
fn check_merged<R: RequestItems>(requests: &[R]) -> Result<(), TestCaseError> {
    let decode = |request: &R| {
        let bytes = Bytes::from(request.encode_to_vec());
        decode(R::SIGNAL, bytes, "otlp", Delivery::untracked()).unwrap()
    };
    let Some(merged) = Batch::concat(requests.iter().map(decode).collect()) else {
        return Ok(());
    };
    // The requests as prost encodes and reads them, since prost omits -0.0.
    let sent = |request: &R| R::decode(request.encode_to_vec().as_slice()).unwrap();
    let expected: Vec<String> = requests
        .iter()
        .flat_map(|request| sent(request).items())
        .collect();
    prop_assert_eq!(merged.num_rows(), expected.len());
    let rows = merged.rows().clone();
    let forwarded = encode(&merged).unwrap();
    prop_assert_eq!(R::decode(forwarded).unwrap().items(), &expected[..]);
    let encoded = encode(&merged.with_rows(rows).unwrap()).unwrap();
    prop_assert_eq!(R::decode(encoded).unwrap().items(), expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merged_traces_contain_all_spans(requests in vec(requests::traces(), 0..4)) {
        check_merged(&requests)?;
    }

    #[test]
    fn merged_metrics_contain_all_points(requests in vec(requests::metrics(), 0..4)) {
        check_merged(&requests)?;
    }

    #[test]
    fn merged_logs_contain_all_records(requests in vec(requests::logs(), 0..4)) {
        check_merged(&requests)?;
    }
}

#[test]
fn unchanged_batch_is_encoded_as_its_original_bytes() {
    let request = Bytes::from_static(&[0x0a, 0x02, 0x12, 0x00]);
    let batch = decode(
        Signal::Traces,
        request.clone(),
        "otlp",
        Delivery::untracked(),
    )
    .unwrap();
    assert_eq!(encode(&batch).unwrap(), request);
}
