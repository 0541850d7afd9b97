//! Tests the edge stats of each minute. Each emitted row has the whole stats of its chunk.

use pipeline::component::{Processor, UnixNanos};

use super::support::{
    MINUTE, SECOND, START, StatsRow, TestSpan, at, client, default_graph, edge_rows, process_spans,
    server, stats_rows,
};

fn pair(start: u64) -> [TestSpan; 2] {
    let end = start + SECOND;
    let client = client("web", 1).between(start, end);
    [client, server("cart", 1).between(start, end)]
}

#[test]
fn edge_stats_are_emitted_whole_when_they_change() {
    let mut graph = default_graph();
    process_spans(&mut graph, &pair(START), at(2));
    let first = stats_rows(&graph.tick(at(4)));
    assert!(
        graph.tick(at(6)).is_empty(),
        "unchanged stats are not emitted"
    );
    process_spans(&mut graph, &pair(START), at(7));
    process_spans(&mut graph, &pair(START + MINUTE), at(7));
    let second = stats_rows(&graph.tick(at(8)));
    assert_eq!((first[0].calls, first[0].sum), (1, 1.0));
    assert_eq!((second[0].calls, second[0].sum), (2, 2.0));
    assert_eq!(second[0].counts, [2]);
    let key = |row: &StatsRow| (row.time, row.chunk, row.writer.clone());
    assert_eq!(
        key(&first[0]),
        key(&second[0]),
        "the second row replaces the first"
    );
    assert_eq!(first[0].time as u64, START);
    assert_eq!(second[1].time as u64, START + MINUTE);
    assert_eq!(second[1].calls, 1);
}

#[test]
fn a_late_span_opens_an_evicted_minute_with_another_chunk() {
    let mut graph = default_graph();
    process_spans(&mut graph, &pair(START), at(2));
    let before = stats_rows(&graph.tick(at(3)));
    for minute in 1..=10 {
        process_spans(&mut graph, &pair(START + minute * MINUTE), at(3 + minute));
    }
    process_spans(&mut graph, &pair(START), at(20));
    let all = stats_rows(&graph.tick(at(21)));
    let late = all.iter().find(|row| row.time == before[0].time).unwrap();
    assert_ne!(late.chunk, before[0].chunk);
    assert_eq!(late.writer, before[0].writer);
    assert_eq!((before[0].calls, late.calls), (1, 1), "the sum is 2");
}

#[test]
fn evictions_neither_lose_nor_repeat_calls() {
    let mut graph = default_graph();
    let mut emitted = Vec::new();
    let mut calls = 0;
    for round in 0..5u64 {
        for minute in 0..37u64 {
            let start = START + (minute * 7 % 37) * MINUTE;
            process_spans(&mut graph, &pair(start), at(round * 40 + minute));
            calls += 1;
        }
        emitted.extend(graph.tick(at(round * 40 + 39)));
    }
    emitted.extend(graph.finish(at(300)));
    let mut rows = stats_rows(&emitted);
    let key = |row: &StatsRow| (row.time, row.chunk);
    rows.sort_by_key(|row| (key(row), row.calls));
    // Of the rows with the same key, the newest replaces the others. It has the most calls.
    let rows_of_chunks: Vec<_> = rows.chunk_by(|a, b| key(a) == key(b)).collect();
    let newest = rows_of_chunks.iter();
    let sum: u64 = newest.map(|rows| rows[rows.len() - 1].calls).sum();
    assert_eq!(sum, calls);
}

#[test]
fn an_idle_minute_is_removed() {
    let mut graph = default_graph();
    process_spans(&mut graph, &pair(START), at(2));
    let before = stats_rows(&graph.tick(at(3)));
    graph.tick(at(700));
    process_spans(&mut graph, &pair(START), at(701));
    let after = stats_rows(&graph.tick(at(702)));
    assert_ne!(after[0].chunk, before[0].chunk);
    assert_eq!(after[0].calls, 1);
}

#[test]
fn each_component_has_another_writer_id() {
    let writer = || {
        let mut graph = default_graph();
        process_spans(&mut graph, &pair(START), at(2));
        stats_rows(&graph.finish(at(3)))[0].writer.clone()
    };
    assert_ne!(writer(), writer());
    assert_eq!(writer().len(), 32);
}

#[test]
fn a_missing_start_is_replaced_by_the_end_and_missing_times_by_now() {
    let mut graph = default_graph();
    let now = UnixNanos(START + 5 * MINUTE + SECOND);
    let ended = client("web", 1).between(0, START + SECOND);
    process_spans(
        &mut graph,
        &[ended, server("cart", 1).between(0, START + SECOND)],
        now,
    );
    let timeless = client("web", 1).between(0, 0);
    process_spans(
        &mut graph,
        &[timeless, server("cart", 1).between(0, 0)],
        now,
    );
    let all = stats_rows(&graph.finish(now));
    let times: Vec<_> = all.iter().map(|row| row.time as u64).collect();
    assert_eq!(times, [START, START + 5 * MINUTE]);
    for row in all {
        assert_eq!((row.calls, row.sum), (1, 0.0));
        assert!(row.counts.is_empty(), "durations of zero are in no bucket");
    }
}

#[test]
fn a_span_that_ends_before_it_starts_has_no_duration() {
    let mut graph = default_graph();
    let backwards = server("cart", 1).between(START + SECOND, START);
    process_spans(&mut graph, &[client("web", 1), backwards], at(2));
    assert_eq!(stats_rows(&graph.finish(at(3)))[0].sum, 0.0);
}

#[test]
fn spans_of_the_year_2500_are_counted_but_do_not_date_the_edge_in_the_future() {
    let mut graph = default_graph();
    let far = 16_725_225_600 * SECOND;
    process_spans(&mut graph, &pair(far), at(2));
    process_spans(&mut graph, &pair(far + 7 * MINUTE), at(2));
    let output = graph.finish(at(3));
    let all = stats_rows(&output);
    assert_eq!(all.len(), 1, "times beyond int64 count in its last minute");
    assert_eq!(all[0].calls, 2);
    assert_eq!(all[0].time, i64::MAX / MINUTE as i64 * MINUTE as i64);
    assert_eq!(edge_rows(&output)[0].1, at(2).timestamp());
}
