//! What `validate` says of a file.

use super::*;

/// `line:column message (suggestion)` of each problem.
fn problems(yaml: &str) -> Vec<String> {
    let node = Node::from_yaml(yaml).unwrap();
    let config: Config = match node.decode() {
        Ok(config) => config,
        Err(error) => return vec![error.to_string()],
    };
    let tell = |problem: pipeline::config::Problem| {
        let place = (problem.place.line(), problem.place.column());
        let suggestion = problem
            .suggestion
            .map(|word| format!(" ({word})"))
            .unwrap_or_default();
        format!("{}:{} {}{suggestion}", place.0, place.1, problem.message)
    };
    Sql::problems(&config, &node)
        .into_iter()
        .map(tell)
        .collect()
}

#[test]
fn three_mistakes_are_told_at_their_lines_and_columns() {
    let yaml = "\
query: |
  SELECT
    naem AS name, 'gauge' AS type,
    lowr(name) AS unit
  FROM traces
  WHERE attributs['k'] > 5
into: metrics
";
    let expected = [
        r#"3:5 no column "naem" (name)"#,
        r#"4:5 no function "lowr" (lower)"#,
        r#"6:9 no column "attributs" (attributes)"#,
    ];
    assert_eq!(problems(yaml), expected);
}

#[test]
fn what_does_not_fit_the_signal_is_told_where_the_column_is_named() {
    let yaml = "\
query: >
  SELECT name, 'gauge' AS type,
         name AS value_int, 1 AS valu_double,
         name AS attributes
  FROM traces
into: metrics
";
    let expected = [
        r#"3:34 metrics has no column "valu_double" (value_double)"#,
        "4:18 metrics.attributes holds attributes: attributes('k', v, …) or set(…) make them",
        "3:18 metrics.value_int is Int64, the query gives Utf8View: cast it",
    ];
    assert_eq!(problems(yaml), expected);
}

#[test]
fn a_column_that_a_signal_cannot_be_without_is_named() {
    let told = problems("{query: 'SELECT name FROM traces', into: metrics}");
    assert_eq!(told, [r#"1:10 metrics needs a column "type""#]);
}

#[test]
fn two_columns_of_one_name_are_not_one_column() {
    let query = "SELECT l.name, r.name FROM traces l JOIN traces r ON l.uid = r.uid";
    let told = problems(&format!("{{query: '{query}', into: traces}}"));
    let message = r#"the query gives "name" twice: leave one of them out, or name it with AS"#;
    assert_eq!(told, [format!("1:27 {message}")]);
}

#[test]
fn windows_that_cannot_work_are_refused() {
    for (window, why) in [
        ("{size: 1m, every: 2m}", "every is longer than size"),
        ("{size: 0s}", "at least 1ms"),
        ("{every: 1m}", "size"),
        ("{size: 24h, every: 1ms}", "10000 times every"),
        ("{size: 1m, max_bytes: 0}", "max_bytes"),
        ("{size: 1m, on: name}", "no timestamp of traces"),
        ("{size: 1m, on: nonsense}", "no timestamp of traces"),
    ] {
        let told = problems(&format!(
            "{{query: 'SELECT * FROM traces', into: traces, window: {window}}}"
        ));
        assert!(
            told.len() == 1 && told[0].contains(why),
            "{window}: {told:?}"
        );
    }
}

#[test]
fn a_join_of_signals_needs_a_window() {
    let query = "SELECT t.* FROM traces t JOIN drift d ON t.uid = d.uid";
    let told = problems(&format!("{{query: '{query}', into: traces}}"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("1:35 traces and drift never come in one batch"),
        "{told:?}"
    );
    assert_eq!(
        problems(&format!(
            "{{query: '{query}', into: traces, window: {{size: 1m}}}}"
        )),
        [""; 0]
    );
}

#[test]
fn signals_follow_the_configuration() {
    let config = |yaml: &str| Node::from_yaml(yaml).unwrap().decode::<Config>().unwrap();
    let query = "query: 'SELECT d.uid, 0 AS rule FROM drift d, traces', into: correlations";
    let told = Sql::signals(&config(
        "{query: 'SELECT time FROM traces', into: logs, keep: false}",
    ));
    assert_eq!(told.accepts.to_string(), "traces");
    assert_eq!(told.produces.to_string(), "logs");
    assert_eq!(told.absorbs.to_string(), "traces");
    let notes = Sql::notes(&config("{query: 'SELECT * FROM traces', into: traces}"));
    assert!(notes[0].contains("keep: false"), "{notes:?}");
    assert!(Sql::explain(&config("{query: 'SELECT * FROM traces', into: traces}")).is_some());
    assert!(Sql::explain(&config(&format!("{{{query}}}"))).is_none());
}
