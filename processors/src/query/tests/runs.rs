//! Tests of several runs of one plan.

use super::*;

#[test]
fn now_is_the_time_of_the_run() {
    let mut query = query("SELECT now(), current_date(), current_timestamp FROM traces");
    let rows = spans(&[("a", json!({}))]);
    for (now, expected) in [
        (
            1,
            "1970-01-01T00:00:00.000000001Z | 1970-01-01 | 1970-01-01T00:00:00.000000001Z",
        ),
        (
            86_400_000_000_000,
            "1970-01-02T00:00:00Z | 1970-01-02 | 1970-01-02T00:00:00Z",
        ),
    ] {
        let rows = vec![(Signal::Traces, vec![rows.clone()])];
        let yielded = query.run(rows, UnixNanos(now), None).unwrap();
        assert_eq!(texts(&yielded[0]), [expected]);
    }
}

#[test]
fn a_run_keeps_no_state_of_earlier_runs() {
    for sql in [
        "SELECT name FROM traces",
        "SELECT count(*) FROM traces",
        "SELECT DISTINCT name FROM traces",
        "SELECT name FROM traces ORDER BY name LIMIT 1",
        "SELECT name FROM traces LIMIT 1",
        "SELECT l.name FROM traces l JOIN traces r ON l.name = r.name",
        "SELECT name FROM traces WHERE name IN (SELECT name FROM traces)",
        "SELECT name, lag(name) OVER (ORDER BY name) FROM traces",
        "SELECT name FROM traces UNION ALL SELECT name FROM traces",
        "SELECT name FROM (SELECT name FROM traces UNION ALL SELECT name FROM traces) ORDER BY name",
        "SELECT name FROM traces UNION ALL SELECT name FROM traces LIMIT 1",
        "SELECT count(*) FROM (SELECT name FROM traces UNION ALL SELECT name FROM traces LIMIT 1)",
        "SELECT name FROM traces WHERE (SELECT count(*) FROM traces) = 1",
        "SELECT name, sum(kind) FROM traces GROUP BY name",
        "SELECT max(name) FROM traces",
        "SELECT a.name FROM traces a, traces b",
    ] {
        let mut query = query(sql);
        let mut run = |rows: RecordBatch| {
            let rows = vec![(Signal::Traces, vec![rows])];
            let yielded = query.run(rows, UnixNanos(1), None).unwrap();
            yielded.iter().flat_map(texts).collect::<Vec<_>>()
        };
        let first = run(spans(&[("a", json!({}))]));
        let second = run(spans(&[("b", json!({}))]));
        let again = run(spans(&[("a", json!({}))]));
        assert_eq!(first, again, "{sql}");
        assert_eq!(first.len(), second.len(), "{sql}");
    }
}

#[test]
fn a_limit_applies_to_the_whole_union() {
    let sql = "SELECT name FROM traces UNION ALL SELECT name FROM traces LIMIT 3";
    let rows = spans(&[("a", json!({})), ("b", json!({}))]);
    assert_eq!(yielded_by(sql, Signal::Traces, rows), ["a", "b", "a"]);
}

#[test]
fn a_signal_without_rows_in_this_run_is_empty() {
    let mut query =
        query("SELECT 'span', name FROM traces UNION ALL SELECT 'log', event_name FROM logs");
    assert_eq!(query.reads().to_string(), "traces, logs");
    let rows = vec![(Signal::Traces, vec![spans(&[("a", json!({}))])])];
    let yielded = query.run(rows, UnixNanos(1), None).unwrap();
    assert_eq!(
        yielded.iter().flat_map(texts).collect::<Vec<_>>(),
        ["span | a"]
    );
    assert!(
        query
            .run(Vec::new(), UnixNanos(1), None)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn only_the_columns_that_a_query_names_are_read() {
    let query = query("SELECT name FROM traces WHERE attributes['k'] = 'v'");
    let schema = Signal::Traces.schema();
    let names: Vec<&str> = query
        .columns(Signal::Traces)
        .iter()
        .map(|&column| schema.field(column).name().as_str())
        .collect();
    assert_eq!(names, ["name", "attributes"]);
    assert!(
        query.explain().contains("Batch: traces [name, attributes]"),
        "{}",
        query.explain()
    );
}

#[test]
fn select_star_replace_keeps_the_other_columns_unchanged() {
    let sql = "SELECT * REPLACE (without(attributes, 'password') AS attributes) FROM traces";
    let mut query = query(sql);
    let rows = spans(&[("a", json!({"password": "x", "n": 1}))]);
    let yielded = query
        .run(
            vec![(Signal::Traces, vec![rows.clone()])],
            UnixNanos(1),
            None,
        )
        .unwrap();
    let (index, _) = rows.schema().column_with_name("attributes").unwrap();
    for (place, column) in yielded[0].columns().iter().enumerate() {
        if place != index {
            assert_eq!(column, rows.column(place));
        }
    }
    let edited = yielded[0].column(index).as_binary_view();
    assert_eq!(
        edited.value(0),
        map_from_json(json!({"n": 1}).as_object().unwrap())
    );
}
