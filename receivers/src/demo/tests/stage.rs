//! Tests which batches the simulation emits, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use arrow_array::Array;
use arrow_array::types::{Int32Type, TimestampNanosecondType, UInt64Type};
use bytes::Bytes;
use pipeline::batch::OriginalRequest;
use pipeline::component::UnixNanos;
use pipeline::schema::{changes, logs, metrics, opening, traces};
use pipeline::{Batch, Signal, SignalSet};

use crate::demo::Config;
use crate::demo::stage::{ClockReading, Simulation};

const BEGAN: u64 = 1_700_000_000_000_000_000;

fn config(seed: u64) -> Config {
    serde_json::from_value(serde_json::json!({"seed": seed})).unwrap()
}

fn at(millis: u64) -> ClockReading {
    ClockReading {
        wall: UnixNanos(BEGAN + millis * 1_000_000),
        elapsed: Duration::from_millis(millis),
    }
}

/// Runs the simulation for `seconds` of real time in steps of 0.2 s. Returns each batch with its second.
fn play(seed: u64, accepted: SignalSet, seconds: u64) -> Vec<(f64, Batch)> {
    let mut simulation = Simulation::new(config(seed), "demo".to_owned(), accepted, at(0));
    let ticks = 0..=seconds * 5;
    ticks
        .flat_map(|tick| {
            let batches = simulation.advance(at(tick * 200)).into_iter();
            batches.map(move |batch| (tick as f64 / 5.0, batch))
        })
        .collect()
}

fn of(signal: Signal) -> SignalSet {
    SignalSet::of(&[signal])
}

#[test]
fn same_seed_and_clock_yield_the_same_bytes() {
    let bytes = |seed| -> Vec<Bytes> {
        let played = play(seed, SignalSet::TELEMETRY, 15);
        let originals = played.iter().map(|(_, batch)| batch.original().unwrap());
        originals.map(OriginalRequest::to_bytes).collect()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn changes_follow_the_script_and_have_real_times() {
    let played = play(1, of(Signal::Changes), 100);
    let emitted: Vec<(f64, String)> = played
        .iter()
        .map(|(second, batch)| (*second, batch.text(changes::EVENT_NAME).value(0).to_owned()))
        .collect();
    let expected = [
        (6.0, "deploy"),
        (12.0, "AuthorizeSecurityGroupIngress"),
        (60.0, "RevokeSecurityGroupIngress"),
        (90.0, "deploy"),
        (96.0, "AuthorizeSecurityGroupIngress"),
    ];
    assert_eq!(
        emitted,
        expected.map(|(second, name)| (second, name.to_owned()))
    );
    let mut ids = Vec::new();
    for (second, batch) in &played {
        let time = batch
            .numbers::<TimestampNanosecondType>(opening::TIME)
            .value(0);
        assert_eq!(time, BEGAN as i64 + (*second * 1e9) as i64);
        ids.push(batch.text(changes::ID).value(0).to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), played.len());
}

#[test]
fn scan_runs_each_minute_of_script_time() {
    let played = play(1, of(Signal::Resources), 30);
    let seconds: Vec<f64> = played.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [0.0, 6.0, 12.0, 18.0, 24.0, 30.0]);
}

#[test]
fn change_precedes_the_scan_that_reports_its_result() {
    let accepted = SignalSet::of(&[Signal::Changes, Signal::Resources]);
    let played = play(1, accepted, 12);
    let signals: Vec<Signal> = played.iter().map(|(_, batch)| batch.signal()).collect();
    let (change, scan) = (Signal::Changes, Signal::Resources);
    assert_eq!(signals, [scan, change, scan, change, scan]);
}

#[test]
fn spans_are_emitted_after_the_end_of_their_request() {
    let mut spans = 0;
    for (second, batch) in play(1, of(Signal::Traces), 20) {
        let now = BEGAN + (second * 1e9) as u64;
        let ends = batch.numbers::<UInt64Type>(traces::END_TIME_UNIX_NANO);
        // `second` is rounded.
        assert!(ends.values().iter().all(|end| *end <= now + 1_000));
        spans += batch.num_rows();
    }
    assert!(
        (2_000..6_000).contains(&spans),
        "{spans} spans of 400 requests"
    );
}

#[test]
fn requests_beyond_the_maximum_lag_are_skipped() {
    let mut simulation = Simulation::new(config(1), "demo".to_owned(), of(Signal::Traces), at(0));
    simulation.advance(at(0));
    let batches = simulation.advance(at(3_600_000));
    let roots: usize = batches
        .iter()
        .map(|batch| {
            let parents = batch.ids(traces::PARENT_SPAN_ID).iter();
            parents.filter(Option::is_none).count()
        })
        .sum();
    assert!(roots <= 40, "{roots}");
}

#[test]
fn only_accepted_signals_are_produced() {
    assert!(play(1, SignalSet::NONE, 20).is_empty());
    let played = play(1, of(Signal::Logs), 20);
    assert!(
        played
            .iter()
            .all(|(_, batch)| batch.signal() == Signal::Logs)
    );
}

#[test]
fn durations_are_exported_every_ten_seconds_and_count_each_request_once() {
    let played = play(1, SignalSet::of(&[Signal::Metrics, Signal::Traces]), 30);
    let (mut exported, mut served) = ([0u64; 4], 0u64);
    for (second, batch) in &played {
        if batch.signal() == Signal::Metrics {
            let counts = batch.numbers::<UInt64Type>(metrics::COUNT);
            exported[*second as usize / 10] += counts.values().iter().sum::<u64>();
            assert_eq!(second % 10.0, 0.0);
        } else {
            let kinds = batch.numbers::<Int32Type>(traces::KIND).values();
            served += kinds.iter().filter(|kind| **kind == 2).count() as u64;
        }
    }
    assert_eq!(exported.iter().sum::<u64>(), served);
    assert!(
        exported[1..].iter().all(|count| *count > 200),
        "{exported:?}"
    );
}

#[test]
fn log_record_names_the_failed_span() {
    let played = play(1, SignalSet::of(&[Signal::Logs, Signal::Traces]), 60);
    let mut failed = BTreeSet::new();
    let mut lines = 0;
    for (_, batch) in &played {
        if batch.signal() == Signal::Traces {
            let codes = batch.numbers::<Int32Type>(traces::STATUS_CODE);
            let rows = (0..batch.num_rows()).filter(|row| codes.is_valid(*row));
            failed.extend(rows.map(|row| batch.ids(traces::SPAN_ID).value(row).to_vec()));
        } else {
            lines += batch.num_rows();
            // The batch of logs follows the batch of its spans.
            let ids = batch.ids(logs::SPAN_ID).iter();
            assert!(ids.flatten().all(|id| failed.contains(id)));
        }
    }
    assert!(lines > 10, "{lines}");
}
