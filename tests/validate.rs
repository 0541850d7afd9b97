//! What `airdig validate` says of pipelines and of the SQL in them.

use std::fs;

use crate::support::airdig;

/// The exit code and what is told of a configuration.
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
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(told).unwrap())
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
fn three_mistakes_in_sql_are_told_at_their_lines_and_columns() {
    let (code, told) = validate(THREE_MISTAKES, &[]);
    assert_eq!(code, Some(2), "{told}");
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
        let found = told.split("\n\n").any(|problem| {
            let mut lines = problem.lines();
            lines
                .next()
                .is_some_and(|said| said.contains(&format!("a.yaml:{place}")))
                && lines.next().is_some_and(|said| said.contains(line))
                && lines
                    .next()
                    .is_some_and(|said| said.trim_start_matches(['|', ' ']).contains(mark))
        });
        assert!(found, "nothing at {place}:\n{told}");
    }
    assert!(told.contains("the configuration has 3 problems"), "{told}");
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
    let (code, told) = validate(CONNECTED, &[]);
    assert_eq!(code, Some(0), "{told}");
    let tree = "
pipeline traces
  otlp ── traces
  └─ batch ── traces
     └─ sql ── traces
        ├─ otlp takes traces
        └─ servicegraph takes traces, gives metrics to pipeline metrics

pipeline metrics
  servicegraph ── metrics
  └─ debug takes metrics
";
    assert!(told.contains(tree), "{told}");
}

#[test]
fn plans_are_explained_where_asked() {
    let (_, told) = validate(CONNECTED, &["--explain"]);
    assert!(
        told.contains("| Filter: attribute_double(attributes@14, n) >= 500"),
        "{told}"
    );
    assert!(told.contains("|   Batch: traces [all columns]"), "{told}");
}
