//! The output of `airdig validate` for pipelines and for the SQL in them.

use std::fs;

use crate::support::airdig;

/// Returns the exit code and the output, standard output before standard error.
fn validate(yaml: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("a.yaml");
    fs::write(&config, yaml).unwrap();
    let output = airdig()
        .args(["validate", "--config"])
        .arg(&config)
        .args(arguments)
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).unwrap())
}

const THREE_MISTAKES: &str = "\
receivers: {otlp: {protocols: {grpc: }}}
processors:
  sql/a:
    query: |
      SELECT *
      FROM traces
      WHERE attributs['k'] = 'x'
    into: traces
    keep: false
  sql/b:
    query: SELECT lowr(name) AS name, 'gauge' AS type FROM traces
    into: metrics
  sql/c:
    query: >
      SELECT name AS value_int, 'sum' AS type
      FROM traces
    into: metrics
exporters: {debug: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [sql/a, sql/b, sql/c], exporters: [debug]}
";

#[test]
fn three_mistakes_in_sql_are_reported_with_their_lines_and_columns() {
    let (code, printed) = validate(THREE_MISTAKES, &[]);
    assert_eq!(code, Some(2), "{printed}");
    for (place, line, mark) in [
        (
            "7:13: no column \"attributs\"",
            "WHERE attributs['k'] = 'x'",
            "^ did you mean \"attributes\"?",
        ),
        (
            "11:19: no function \"lowr\"",
            "query: SELECT lowr(name)",
            "^ did you mean \"lower\"?",
        ),
        (
            "15:22: metrics.value_int is Int64",
            "SELECT name AS value_int",
            "^",
        ),
    ] {
        let is_reported = printed.split("\n\n").any(|problem| {
            let mut lines = problem.lines();
            lines
                .next()
                .is_some_and(|text| text.contains(&format!("a.yaml:{place}")))
                && lines.next().is_some_and(|text| text.contains(line))
                && lines
                    .next()
                    .is_some_and(|text| text.trim_start_matches(['|', ' ']).contains(mark))
        });
        assert!(is_reported, "no problem at {place}:\n{printed}");
    }
    assert!(
        printed.contains("the configuration has 3 problems"),
        "{printed}"
    );
}

const CONNECTED: &str = "\
receivers: {otlp: {protocols: {grpc: }}}
processors:
  batch: {}
  sql: {query: \"SELECT * FROM traces WHERE attributes['n'] >= 500\", into: traces, keep: false}
connectors: {servicegraph: }
exporters: {otlp: {endpoint: 'localhost:4317'}, debug: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch, sql], exporters: [otlp, servicegraph]}
    metrics: {receivers: [servicegraph], exporters: [debug]}
";

#[test]
fn pipelines_are_shown_as_trees_with_their_signals() {
    let (code, printed) = validate(CONNECTED, &[]);
    assert_eq!(code, Some(0), "{printed}");
    let tree = "
pipeline traces
  otlp ── traces
  └─ batch ── traces
     └─ sql ── traces
        ├─ otlp accepts traces
        └─ servicegraph accepts traces, emits metrics to pipeline metrics

pipeline metrics
  servicegraph ── metrics
  └─ debug accepts metrics
";
    assert!(printed.contains(tree), "{printed}");
}

#[test]
fn explain_prints_the_plan_of_each_query() {
    let (_, printed) = validate(CONNECTED, &["--explain"]);
    assert!(
        printed.contains("| Filter: attribute_double(attributes@14, n) >= 500"),
        "{printed}"
    );
    assert!(
        printed.contains("|   Batch: traces [all columns]"),
        "{printed}"
    );
}
