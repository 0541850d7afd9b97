//! Tests of queries with a window: rows are held by their event time until their windows close.

use super::*;

const COUNT: &str = "query: \"SELECT name, 'gauge' AS type, count(*) AS value_int, window_end() AS time \
                     FROM traces GROUP BY name ORDER BY name\", into: metrics";

/// Each row of `metrics` as `end:name=count`.
fn counted(output: &[Batch]) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in batches_of(output, Signal::Metrics) {
        let counts = batch.numbers::<Int64Type>(metrics::VALUE_INT);
        let times = batch.numbers::<UInt64Type>(metrics::TIME_UNIX_NANO);
        for (row, name) in names(batch).into_iter().enumerate() {
            lines.push(format!(
                "{}:{name}={}",
                times.value(row) / SECOND,
                counts.value(row)
            ));
        }
    }
    lines
}

fn counting(window: &str) -> Sql {
    built(&format!("{{{COUNT}, window: {window}}}"))
}

#[test]
fn a_window_closes_when_its_lateness_has_passed() {
    let mut sql = counting("{size: 10s, lateness: 5s}");
    let mut give = |second, name: &str| {
        let (batch, mut receipt) = spans(&[(second, name, json!({}))]);
        let output = sql.process(batch, at(1000)).unwrap();
        let lines = counted(&output);
        drop(output);
        assert_eq!(
            receipt.try_outcome(),
            Some(Outcome::Delivered),
            "a held row is acknowledged"
        );
        lines
    };
    assert_eq!(give(101, "a"), [""; 0]);
    assert_eq!(give(109, "a"), [""; 0]);
    assert_eq!(give(114, "b"), [""; 0], "the first window is still open");
    assert_eq!(
        give(103, "a"),
        [""; 0],
        "a row within the lateness is accepted"
    );
    assert_eq!(give(116, "b"), ["110:a=3"]);
    assert_eq!(counted(&sql.finish(at(1000))), ["120:b=2"]);
}

#[test]
fn a_row_is_in_each_overlapping_window() {
    let mut sql = counting("{size: 10s, every: 5s, lateness: 0s}");
    let (batch, _receipt) = spans(&[(101, "a", json!({})), (107, "b", json!({}))]);
    let mut all = counted(&sql.process(batch, at(1000)).unwrap());
    all.extend(counted(&sql.finish(at(1000))));
    assert_eq!(all, ["105:a=1", "110:a=1", "110:b=1", "115:b=1"]);
}

#[test]
fn a_row_that_arrives_after_its_windows_closed_is_late() {
    let mut sql = counting("{size: 10s, lateness: 0s}");
    let (batch, _receipt) = spans(&[(101, "a", json!({})), (111, "a", json!({}))]);
    assert_eq!(counted(&sql.process(batch, at(1000)).unwrap()), ["110:a=1"]);
    let (late, _receipt) = spans(&[(102, "late", json!({})), (112, "a", json!({}))]);
    let output = sql.process(late, at(1000)).unwrap();
    assert_eq!(
        names(batches_of(&output, Signal::Traces)[0]),
        ["late", "a"],
        "late rows are forwarded"
    );
    assert_eq!(counted(&sql.finish(at(1000))), ["120:a=2"]);
}

#[test]
fn the_last_window_closes_by_real_time_without_new_rows() {
    let mut sql = counting("{size: 10s, lateness: 5s}");
    let (batch, _receipt) = spans(&[(101, "a", json!({}))]);
    assert_eq!(counted(&sql.process(batch, at(1000)).unwrap()), [""; 0]);
    assert_eq!(sql.tick_within(at(1000)), Some(Duration::from_secs(1)));
    assert_eq!(counted(&sql.tick(at(1013))), [""; 0]);
    assert_eq!(counted(&sql.tick(at(1014))), ["110:a=1"]);
    assert_eq!(sql.tick_within(at(1014)), None, "no rows are held");
}

#[test]
fn a_row_dated_in_the_future_closes_no_window_early() {
    let mut sql = counting("{size: 10s, lateness: 0s}");
    let (batch, _receipt) = spans(&[(1001, "now", json!({})), (99_000, "future", json!({}))]);
    assert_eq!(counted(&sql.process(batch, at(1002)).unwrap()), [""; 0]);
    let (more, _receipt) = spans(&[(1003, "now", json!({}))]);
    assert_eq!(counted(&sql.process(more, at(1003)).unwrap()), [""; 0]);
    assert_eq!(counted(&sql.tick(at(1010))), ["1010:now=2"]);
}

#[test]
fn rows_beyond_max_bytes_are_forwarded_and_not_held() {
    let mut sql = counting("{size: 10s, max_bytes: 20000}");
    let mut passed = 0;
    for _ in 0..100 {
        let (batch, _receipt) = spans(&vec![(101, "a", json!({})); 100]);
        let output = sql.process(batch, at(1000)).unwrap();
        passed += batches_of(&output, Signal::Traces)[0].num_rows();
    }
    assert_eq!(passed, 10_000);
    let all = counted(&sql.finish(at(1000)));
    let count: u64 = all[0].strip_prefix("110:a=").unwrap().parse().unwrap();
    assert!((100..1000).contains(&count), "{all:?}");
}

#[test]
fn rows_beyond_the_limit_still_close_earlier_windows() {
    let mut sql = counting("{size: 10s, lateness: 0s, max_bytes: 4000}");
    let mut give = |second| {
        let (batch, _receipt) = spans(&vec![(second, "a", json!({})); 100]);
        counted(&sql.process(batch, at(1000)).unwrap())
    };
    assert_eq!(give(101), [""; 0]);
    assert_eq!(give(111), ["110:a=100"], "the new rows exceed max_bytes");
    assert_eq!(give(112), [""; 0]);
    assert_eq!(counted(&sql.finish(at(1000))), ["120:a=100"]);
}

#[test]
fn signals_of_different_batches_are_joined() {
    let mut sql = built(
        "{query: \"SELECT d.uid, d.time, t.name AS rule FROM drift d JOIN traces t \
         ON t.uid = d.uid AND t.time > d.time AND t.time <= d.time + INTERVAL '5 seconds'\", \
         into: correlations, window: {size: 10s, lateness: 0s}}",
    );
    assert_eq!(
        batches_of(
            &sql.process(drifts(100), at(1000)).unwrap(),
            Signal::Correlations
        )
        .len(),
        0
    );
    let (batch, _receipt) = spans(&[
        (99, "before", json!({})),
        (103, "slow", json!({})),
        (108, "later", json!({})),
        (111, "next", json!({})),
    ]);
    let output = sql.process(batch, at(1000)).unwrap();
    let found = batches_of(&output, Signal::Correlations);
    let rules = found[0].words("rule");
    assert_eq!(rules.into_iter().flatten().collect::<Vec<_>>(), ["slow"]);
    assert_eq!(found[0].uid().value(0), "svc:////shop");
}

#[test]
fn a_held_row_does_not_keep_its_request_in_memory() {
    let long = "x".repeat(100_000);
    let mut sql = counting("{size: 10s, max_bytes: 100000}");
    for second in 0..50 {
        let (batch, _receipt) = spans(&[(101 + second % 5, "a", json!({"long": long}))]);
        drop(sql.process(batch, at(1000)).unwrap());
    }
    assert_eq!(counted(&sql.finish(at(1000))), ["110:a=50"]);
}

#[test]
fn a_row_with_a_wrong_time_causes_only_one_window() {
    let mut sql = built(&format!(
        "{{{}, window: {{size: 1m, lateness: 0s}}}}",
        "query: \"SELECT 'all' AS name, 'gauge' AS type, count(*) AS value_int, window_end() AS time FROM traces\", \
         into: metrics"
    ));
    let now = 1_800_000_000;
    let (batch, _receipt) = spans(&[
        (1, "1970", json!({})),
        (now, "now", json!({})),
        (now + 1, "now", json!({})),
    ]);
    let mut all = counted(&sql.process(batch, at(now + 1)).unwrap());
    all.extend(counted(&sql.finish(at(now + 1))));
    assert_eq!(all, ["60:all=1", "1800000060:all=2"]);
}
