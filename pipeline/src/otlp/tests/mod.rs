//! The round trip, beside prost: what is decoded and encoded again is the same to prost, and what
//! prost refuses is refused.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::{decode, encode};
use crate::{Batch, Delivery, Signal};

pub(super) mod hostile;
mod intake;
pub(super) mod requests;
mod same;

use same::Items;

/// Decodes, forgets the original bytes, encodes, and lets prost read both.
fn there_and_back<R: Items>(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let batch = decode(
        R::SIGNAL,
        Bytes::copy_from_slice(bytes),
        "otlp",
        Delivery::nobody(),
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
    fn traces_survive(request in requests::traces()) {
        let (ours, theirs) = there_and_back::<ExportTraceServiceRequest>(&request.encode_to_vec());
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn metrics_survive(request in requests::metrics()) {
        let (ours, theirs) = there_and_back::<ExportMetricsServiceRequest>(&request.encode_to_vec());
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn logs_survive(request in requests::logs()) {
        let (ours, theirs) = there_and_back::<ExportLogsServiceRequest>(&request.encode_to_vec());
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn fields_in_any_order_and_split_messages_read_as_prost_reads_them(
        request in requests::traces(), seed in any::<u64>(),
    ) {
        let bytes = hostile::shuffle(&request.encode_to_vec(), seed, hostile::TRACES);
        let (ours, theirs) = there_and_back::<ExportTraceServiceRequest>(&bytes);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn metrics_in_any_order_unpacked_and_split_read_as_prost_reads_them(
        request in requests::metrics(), seed in any::<u64>(),
    ) {
        let bytes = hostile::shuffle(&request.encode_to_vec(), seed, hostile::METRICS);
        let (ours, theirs) = there_and_back::<ExportMetricsServiceRequest>(&bytes);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn broken_bytes_never_panic_and_what_prost_refuses_is_refused(
        request in requests::traces(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(),
        bits in 1u8..,
    ) {
        let mut bytes = request.encode_to_vec();
        prop_assume!(!bytes.is_empty());
        bytes.truncate(cut.index(bytes.len()) + 1);
        let at = flip.index(bytes.len());
        bytes[at] ^= bits;
        for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
            let _ = decode(signal, Bytes::from(bytes.clone()), "otlp", Delivery::nobody());
        }
        if ExportTraceServiceRequest::decode(bytes.as_slice()).is_err() {
            prop_assert!(decode(Signal::Traces, Bytes::from(bytes), "otlp", Delivery::nobody()).is_err());
        }
    }
}

/// What is accepted can be read by prost, and written as JSON that is accepted too.
fn accepted_is_right<R: Items>(bytes: &[u8]) -> Result<(), TestCaseError> {
    let accepted = decode(
        R::SIGNAL,
        Bytes::copy_from_slice(bytes),
        "otlp",
        Delivery::nobody(),
    );
    let Ok(batch) = accepted else {
        return Ok(());
    };
    prop_assert!(R::decode(bytes).is_ok());
    let json = super::json::encode(&batch).unwrap();
    let again = super::json::decode(R::SIGNAL, json.as_bytes(), "otlp", Delivery::nobody());
    prop_assert_eq!(super::json::encode(&again.unwrap()).unwrap(), json);
    Ok(())
}

/// A few changes of single bytes, which leave most of a request as it was.
fn changed(request: &impl Message, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
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
    fn changed_traces_that_are_accepted_are_right(
        request in requests::traces(), changes in vec(any::<(prop::sample::Index, u8)>(), 1..3),
    ) {
        accepted_is_right::<ExportTraceServiceRequest>(&changed(&request, &changes))?;
    }

    #[test]
    fn changed_metrics_that_are_accepted_are_right(
        request in requests::metrics(), changes in vec(any::<(prop::sample::Index, u8)>(), 1..3),
    ) {
        accepted_is_right::<ExportMetricsServiceRequest>(&changed(&request, &changes))?;
    }

    #[test]
    fn changed_logs_that_are_accepted_are_right(
        request in requests::logs(), changes in vec(any::<(prop::sample::Index, u8)>(), 1..3),
    ) {
        accepted_is_right::<ExportLogsServiceRequest>(&changed(&request, &changes))?;
    }
}

/// Decodes each, puts them together, and lets prost read the whole: as it came, and written anew
/// after the original bytes are forgotten.
fn together<R: Items>(requests: &[R]) -> Result<(), TestCaseError> {
    let decode = |request: &R| {
        let bytes = Bytes::from(request.encode_to_vec());
        decode(R::SIGNAL, bytes, "otlp", Delivery::nobody()).unwrap()
    };
    let Some(whole) = Batch::concat(requests.iter().map(decode).collect()) else {
        return Ok(());
    };
    // As prost reads them: it leaves out -0.0.
    let sent = |request: &R| R::decode(request.encode_to_vec().as_slice()).unwrap();
    let expected: Vec<String> = requests
        .iter()
        .flat_map(|request| sent(request).items())
        .collect();
    prop_assert_eq!(whole.num_rows(), expected.len());
    let rows = whole.rows().clone();
    let forwarded = encode(&whole).unwrap();
    prop_assert_eq!(R::decode(forwarded).unwrap().items(), &expected[..]);
    let anew = encode(&whole.with_rows(rows).unwrap()).unwrap();
    prop_assert_eq!(R::decode(anew).unwrap().items(), expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn traces_put_together_are_all_of_them(requests in vec(requests::traces(), 0..4)) {
        together(&requests)?;
    }

    #[test]
    fn metrics_put_together_are_all_of_them(requests in vec(requests::metrics(), 0..4)) {
        together(&requests)?;
    }

    #[test]
    fn logs_put_together_are_all_of_them(requests in vec(requests::logs(), 0..4)) {
        together(&requests)?;
    }
}

#[test]
fn a_batch_that_nobody_changed_is_the_bytes_it_came_as() {
    let request = Bytes::from_static(&[0x0a, 0x02, 0x12, 0x00]);
    let batch = decode(Signal::Traces, request.clone(), "otlp", Delivery::nobody()).unwrap();
    assert_eq!(encode(&batch).unwrap(), request);
}
