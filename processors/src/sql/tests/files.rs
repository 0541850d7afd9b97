//! Tests of the problems that `validate` reports for a configuration file.

use super::*;

/// `line:column message (suggestion)` of each problem.
fn problems(yaml: &str) -> Vec<String> {
    let node = YamlNode::from_yaml(yaml).unwrap();
    let config: Config = match node.decode() {
        Ok(config) => config,
        Err(error) => return vec![error.to_string()],
    };
    let text = |problem: pipeline::config::Problem| {
        let place = (problem.position.line(), problem.position.column());
        let suggestion = problem
            .suggestion
            .map(|word| format!(" ({word})"))
            .unwrap_or_default();
        format!("{}:{} {}{suggestion}", place.0, place.1, problem.message)
    };
    Sql::problems(&config, &node)
        .into_iter()
        .map(text)
        .collect()
}

#[test]
fn all_problems_are_reported_with_line_and_column() {
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
fn a_column_that_does_not_fit_the_signal_is_reported_at_its_name() {
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
        "4:18 metrics.attributes must be attributes: build them with attributes('k', v, …) or set(…)",
        "3:18 metrics.value_int is Int64, but the query yields Utf8View: cast it",
    ];
    assert_eq!(problems(yaml), expected);
}

#[test]
fn a_missing_required_column_is_reported() {
    let found = problems("{query: 'SELECT name FROM traces', into: metrics}");
    assert_eq!(found, [r#"1:10 metrics needs a column "type""#]);
}

#[test]
fn duplicate_column_names_are_rejected() {
    let query = "SELECT l.name, r.name FROM traces l JOIN traces r ON l.uid = r.uid";
    let found = problems(&format!("{{query: '{query}', into: traces}}"));
    let message = r#"the query yields "name" twice: leave one of them out, or rename it with AS"#;
    assert_eq!(found, [format!("1:27 {message}")]);
}

#[test]
fn invalid_windows_are_rejected() {
    for (window, why) in [
        ("{size: 1m, every: 2m}", "every is longer than size"),
        ("{size: 0s}", "at least 1ms"),
        ("{every: 1m}", "size"),
        ("{size: 24h, every: 1ms}", "10000 times every"),
        ("{size: 1m, max_bytes: 0}", "max_bytes"),
        ("{size: 1m, on: name}", "traces has no timestamp column"),
        ("{size: 1m, on: nonsense}", "traces has no timestamp column"),
    ] {
        let found = problems(&format!(
            "{{query: 'SELECT * FROM traces', into: traces, window: {window}}}"
        ));
        assert!(
            found.len() == 1 && found[0].contains(why),
            "{window}: {found:?}"
        );
    }
}

#[test]
fn a_join_of_signals_needs_a_window() {
    let query = "SELECT t.* FROM traces t JOIN drift d ON t.uid = d.uid";
    let found = problems(&format!("{{query: '{query}', into: traces}}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("1:35 traces and drift are never in one batch"),
        "{found:?}"
    );
    assert_eq!(
        problems(&format!(
            "{{query: '{query}', into: traces, window: {{size: 1m}}}}"
        )),
        [""; 0]
    );
}

#[test]
fn the_signals_of_the_component_are_those_of_the_query() {
    let config = |yaml: &str| {
        YamlNode::from_yaml(yaml)
            .unwrap()
            .decode::<Config>()
            .unwrap()
    };
    let query = "query: 'SELECT d.uid, 0 AS rule FROM drift d, traces', into: correlations";
    let signals = Sql::signals(&config(
        "{query: 'SELECT time FROM traces', into: logs, keep: false}",
    ));
    assert_eq!(signals.accepts.to_string(), "traces");
    assert_eq!(signals.produces.to_string(), "logs");
    assert_eq!(signals.absorbs.to_string(), "traces");
    let notes = Sql::notes(&config("{query: 'SELECT * FROM traces', into: traces}"));
    assert!(notes[0].contains("keep: false"), "{notes:?}");
    assert!(Sql::explain(&config("{query: 'SELECT * FROM traces', into: traces}")).is_some());
    assert!(Sql::explain(&config(&format!("{{{query}}}"))).is_none());
}
