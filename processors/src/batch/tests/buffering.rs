//! Tests of how long rows are held, and of the sizes of batches.

use std::time::Duration;

use bytes::Bytes;
use pipeline::component::Processor;
use pipeline::testing::uids;
use pipeline::{Delivery, Signal, otlp};

use super::support::{at, batch_of, processor, sizes};
use crate::batch::BatchProcessor;

#[test]
fn rows_are_held_until_send_batch_size_is_reached() {
    let mut processor = processor(&["send_batch_size=5"]);
    let process = |processor: &mut BatchProcessor, name, count| {
        processor
            .process(batch_of(Signal::Logs, name, count), at(0))
            .unwrap()
    };
    assert!(process(&mut processor, "a", 2).is_empty());
    assert!(process(&mut processor, "b", 2).is_empty());
    let output = process(&mut processor, "c", 2);
    assert_eq!(
        output.len(),
        1,
        "a batch one over send_batch_size is not split"
    );
    assert_eq!(uids(&output[0]), ["a0", "a1", "b0", "b1", "c0", "c1"]);
    assert!(processor.finish(at(0)).is_empty());
}

#[test]
fn rows_are_held_for_the_timeout_and_not_longer() {
    let mut processor = processor(&["timeout=200ms"]);
    assert_eq!(processor.tick_within(at(1000)), None, "nothing is held");
    let first = batch_of(Signal::Traces, "a", 1);
    assert!(processor.process(first, at(1000)).unwrap().is_empty());
    let second = batch_of(Signal::Traces, "b", 1);
    assert!(processor.process(second, at(1100)).unwrap().is_empty());
    assert_eq!(
        processor.tick_within(at(1100)),
        Some(Duration::from_millis(100))
    );
    assert!(processor.tick(at(1199)).is_empty());
    assert_eq!(sizes(&processor.tick(at(1200))), [2]);
    assert_eq!(processor.tick_within(at(1200)), None);
    assert!(processor.tick(at(1215)).is_empty());
    let third = batch_of(Signal::Traces, "c", 1);
    assert!(processor.process(third, at(1300)).unwrap().is_empty());
    assert!(processor.tick(at(1499)).is_empty());
    assert_eq!(sizes(&processor.tick(at(1500))), [1]);
}

#[test]
fn clock_set_back_releases_held_rows() {
    let mut processor = processor(&[]);
    let held = batch_of(Signal::Traces, "a", 1);
    assert!(processor.process(held, at(1_000_000)).unwrap().is_empty());
    assert_eq!(sizes(&processor.tick(at(0))), [1]);
}

#[test]
fn signals_are_buffered_separately() {
    let mut processor = processor(&["send_batch_size=2"]);
    let row = |signal| batch_of(signal, "x", 1);
    for signal in Signal::ALL {
        assert!(processor.process(row(signal), at(0)).unwrap().is_empty());
    }
    for signal in Signal::ALL {
        let output = processor.process(row(signal), at(0)).unwrap();
        assert_eq!(sizes(&output), [2]);
        assert_eq!(output[0].signal(), signal);
    }
}

#[test]
fn full_batch_passes_unchanged() {
    let mut processor = processor(&["send_batch_size=3"]);
    let full = batch_of(Signal::Metrics, "a", 3);
    let column = full.rows().column(1).clone();
    let output = processor.process(full, at(0)).unwrap();
    assert!(std::sync::Arc::ptr_eq(&column, output[0].rows().column(1)));
}

#[test]
fn large_batch_is_split_and_the_rest_is_held() {
    let mut processor = processor(&["send_batch_size=4", "send_batch_max_size=5"]);
    let output = processor
        .process(batch_of(Signal::Logs, "a", 12), at(0))
        .unwrap();
    assert_eq!(sizes(&output), [5, 5]);
    let output = processor
        .process(batch_of(Signal::Logs, "b", 3), at(0))
        .unwrap();
    assert_eq!(uids(&output[0]), ["a10", "a11", "b0", "b1", "b2"]);
    assert!(processor.finish(at(0)).is_empty());
}

#[test]
fn without_timeout_or_size_rows_are_not_held_but_split() {
    for settings in [
        ["timeout=0", "send_batch_max_size=10000"],
        ["send_batch_size=0", "send_batch_max_size=10000"],
    ] {
        let mut processor = processor(&settings);
        let output = processor
            .process(batch_of(Signal::Logs, "a", 1), at(0))
            .unwrap();
        assert_eq!(processor.tick_within(at(0)), None);
        assert_eq!(sizes(&output), [1]);
        let output = processor.process(batch_of(Signal::Logs, "a", 20_001), at(0));
        assert_eq!(sizes(&output.unwrap()), [10_000, 10_000, 1]);
    }
}

#[test]
fn held_rows_are_bounded_in_bytes() {
    let mut processor = processor(&["send_batch_size=1000000"]);
    // The rows keep an unknown field of the request alive, which has 3 MiB.
    let request = |_| {
        let unread = [0x7a, 0x80, 0x80, 0xc0, 0x01].into_iter();
        let unread = unread.chain(std::iter::repeat_n(0, 3 << 20));
        let span = [0x0a, 0x04, 0x12, 0x02, 0x12, 0x00];
        let request: Bytes = span.into_iter().chain(unread).collect();
        otlp::decode_traces(request, "otlp", Delivery::untracked()).unwrap()
    };
    let output: Vec<usize> = (0..6)
        .map(request)
        .map(|held| processor.process(held, at(0)).unwrap().len())
        .collect();
    assert_eq!(output, [0, 0, 1, 0, 0, 1]);
}

#[test]
fn finish_flushes_every_signal() {
    let mut processor = processor(&["send_batch_max_size=10000"]);
    for signal in [Signal::Traces, Signal::Nodes] {
        assert!(
            processor
                .process(batch_of(signal, "a", 3), at(0))
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(sizes(&processor.finish(at(0))), [3, 3]);
    assert!(processor.finish(at(0)).is_empty());
}

#[test]
fn merged_unchanged_requests_keep_their_bytes() {
    let request = Bytes::from_static(&[0x0a, 0x04, 0x12, 0x02, 0x12, 0x00]);
    let mut processor = processor(&["send_batch_size=2"]);
    let decoded = || otlp::decode_traces(request.clone(), "otlp", Delivery::untracked()).unwrap();
    assert!(processor.process(decoded(), at(0)).unwrap().is_empty());
    let output = processor.process(decoded(), at(0)).unwrap();
    assert_eq!(otlp::encode(&output[0]).unwrap(), request.repeat(2));
}

#[test]
fn snapshot_stays_whole_above_the_maximum_size() {
    let mut processor = processor(&["send_batch_size=2", "send_batch_max_size=3"]);
    // The edges of a uid have the same time, so they are one snapshot.
    let edges = pipeline::testing::batch(Signal::Edges, &["a", "b", "b", "b", "b", "c", "c", "d"]);
    let output = processor.process(edges, at(0)).unwrap();
    let output: Vec<Vec<String>> = output.iter().map(uids).collect();
    assert_eq!(output, [vec!["a"], vec!["b"; 4], vec!["c", "c", "d"]]);
}

#[test]
fn snapshot_that_does_not_fit_goes_into_the_next_batch() {
    let mut processor = processor(&["send_batch_size=4", "send_batch_max_size=4"]);
    let edges = |uids: &[&str]| pipeline::testing::batch(Signal::Edges, uids);
    assert!(
        processor
            .process(edges(&["a", "a", "a"]), at(0))
            .unwrap()
            .is_empty()
    );
    let output = processor.process(edges(&["b", "b"]), at(0)).unwrap();
    assert_eq!(uids(&output[0]), ["a", "a", "a"]);
    assert_eq!(uids(&processor.finish(at(0))[0]), ["b", "b"]);
}
