//! Rows are held by their own time until a window is over.

use super::*;

const COUNT: &str = "query: \"SELECT name, 'gauge' AS type, count(*) AS value_int, window_end() AS time \
                     FROM traces GROUP BY name ORDER BY name\", into: metrics";

/// `end:name=count` of each row.
fn told(made: &[Batch]) -> Vec<String> {
    let mut told = Vec::new();
    for batch in of(made, Signal::Metrics) {
        let counts = batch.numbers::<Int64Type>(metrics::VALUE_INT);
        let times = batch.numbers::<UInt64Type>(metrics::TIME_UNIX_NANO);
        for (row, name) in names(batch).into_iter().enumerate() {
            told.push(format!(
                "{}:{name}={}",
                times.value(row) / SECOND,
                counts.value(row)
            ));
        }
    }
    told
}

fn counting(window: &str) -> Sql {
    built(&format!("{{{COUNT}, window: {window}}}"))
}

#[test]
fn a_window_is_asked_once_its_lateness_is_over() {
    let mut sql = counting("{size: 10s, lateness: 5s}");
    let mut give = |second, name: &str| {
        let (batch, mut receipt) = spans(&[(second, name, json!({}))]);
        let made = sql.process(batch, at(1000)).unwrap();
        let told = told(&made);
        drop(made);
        assert_eq!(
            receipt.try_outcome(),
            Some(Outcome::Delivered),
            "a held row is taken"
        );
        told
    };
    assert_eq!(give(101, "a"), [""; 0]);
    assert_eq!(give(109, "a"), [""; 0]);
    assert_eq!(
        give(114, "b"),
        [""; 0],
        "a row of the first window may still come"
    );
    assert_eq!(give(103, "a"), [""; 0], "and does");
    assert_eq!(give(116, "b"), ["110:a=3"]);
    assert_eq!(told(&sql.finish(at(1000))), ["120:b=2"]);
}

#[test]
fn a_row_is_seen_by_each_window_that_it_is_in() {
    let mut sql = counting("{size: 10s, every: 5s, lateness: 0s}");
    let (batch, _receipt) = spans(&[(101, "a", json!({})), (107, "b", json!({}))]);
    let mut all = told(&sql.process(batch, at(1000)).unwrap());
    all.extend(told(&sql.finish(at(1000))));
    assert_eq!(all, ["105:a=1", "110:a=1", "110:b=1", "115:b=1"]);
}

#[test]
fn what_comes_after_its_windows_is_late() {
    let mut sql = counting("{size: 10s, lateness: 0s}");
    let (batch, _receipt) = spans(&[(101, "a", json!({})), (111, "a", json!({}))]);
    assert_eq!(told(&sql.process(batch, at(1000)).unwrap()), ["110:a=1"]);
    let (late, _receipt) = spans(&[(102, "late", json!({})), (112, "a", json!({}))]);
    let made = sql.process(late, at(1000)).unwrap();
    assert_eq!(
        names(of(&made, Signal::Traces)[0]),
        ["late", "a"],
        "it passes on"
    );
    assert_eq!(told(&sql.finish(at(1000))), ["120:a=2"]);
}

#[test]
fn the_last_window_ends_by_the_clock_where_nothing_comes_any_more() {
    let mut sql = counting("{size: 10s, lateness: 5s}");
    let (batch, _receipt) = spans(&[(101, "a", json!({}))]);
    assert_eq!(told(&sql.process(batch, at(1000)).unwrap()), [""; 0]);
    assert_eq!(sql.tick_within(at(1000)), Some(Duration::from_secs(1)));
    assert_eq!(told(&sql.tick(at(1013))), [""; 0]);
    assert_eq!(told(&sql.tick(at(1014))), ["110:a=1"]);
    assert_eq!(sql.tick_within(at(1014)), None, "no window has rows");
}

#[test]
fn a_row_of_the_future_ends_no_window_of_the_present() {
    let mut sql = counting("{size: 10s, lateness: 0s}");
    let (batch, _receipt) = spans(&[(1001, "now", json!({})), (99_000, "future", json!({}))]);
    assert_eq!(told(&sql.process(batch, at(1002)).unwrap()), [""; 0]);
    let (more, _receipt) = spans(&[(1003, "now", json!({}))]);
    assert_eq!(told(&sql.process(more, at(1003)).unwrap()), [""; 0]);
    assert_eq!(told(&sql.tick(at(1010))), ["1010:now=2"]);
}

#[test]
fn what_is_held_is_bounded_and_the_rest_is_not_lost_but_passes() {
    let mut sql = counting("{size: 10s, max_bytes: 20000}");
    let mut passed = 0;
    for _ in 0..100 {
        let (batch, _receipt) = spans(&vec![(101, "a", json!({})); 100]);
        let made = sql.process(batch, at(1000)).unwrap();
        passed += of(&made, Signal::Traces)[0].num_rows();
    }
    assert_eq!(passed, 10_000);
    let all = told(&sql.finish(at(1000)));
    let count: u64 = all[0].strip_prefix("110:a=").unwrap().parse().unwrap();
    assert!((100..1000).contains(&count), "{all:?}");
}

#[test]
fn rows_without_room_end_the_windows_that_have_taken_it() {
    let mut sql = counting("{size: 10s, lateness: 0s, max_bytes: 4000}");
    let mut give = |second| {
        let (batch, _receipt) = spans(&vec![(second, "a", json!({})); 100]);
        told(&sql.process(batch, at(1000)).unwrap())
    };
    assert_eq!(give(101), [""; 0]);
    assert_eq!(give(111), ["110:a=100"], "itself it finds no room");
    assert_eq!(give(112), [""; 0]);
    assert_eq!(told(&sql.finish(at(1000))), ["120:a=100"]);
}

#[test]
fn signals_that_come_apart_are_joined() {
    let mut sql = built(
        "{query: \"SELECT d.uid, d.time, t.name AS rule FROM drift d JOIN traces t \
         ON t.uid = d.uid AND t.time > d.time AND t.time <= d.time + INTERVAL '5 seconds'\", \
         into: correlations, window: {size: 10s, lateness: 0s}}",
    );
    assert_eq!(
        of(
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
    let made = sql.process(batch, at(1000)).unwrap();
    let found = of(&made, Signal::Correlations);
    let rules = found[0].words("rule");
    assert_eq!(rules.into_iter().flatten().collect::<Vec<_>>(), ["slow"]);
    assert_eq!(found[0].uid().value(0), "svc:////shop");
}

#[test]
fn a_held_row_does_not_keep_its_request() {
    let long = "x".repeat(100_000);
    let mut sql = counting("{size: 10s, max_bytes: 100000}");
    for second in 0..50 {
        let (batch, _receipt) = spans(&[(101 + second % 5, "a", json!({"long": long}))]);
        drop(sql.process(batch, at(1000)).unwrap());
    }
    assert_eq!(told(&sql.finish(at(1000))), ["110:a=50"]);
}

#[test]
fn a_row_of_a_clock_that_is_wrong_costs_one_window() {
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
    let mut all = told(&sql.process(batch, at(now + 1)).unwrap());
    all.extend(told(&sql.finish(at(now + 1))));
    assert_eq!(all, ["60:all=1", "1800000060:all=2"]);
}
