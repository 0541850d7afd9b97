//! Tests of the problems that are reported for the text of a query, and of their positions.

use super::*;

/// The problems of a query, each as `text at its position: message (suggestion)`.
fn reported(sql: &str) -> Vec<String> {
    let text = |problem: QueryProblem| {
        let there: String = sql[problem.offset..].chars().take(8).collect();
        let suggestion = problem
            .suggestion
            .map(|word| format!(" ({word})"))
            .unwrap_or_default();
        format!("{there}: {}{suggestion}", problem.message)
    };
    problems(sql).into_iter().map(text).collect()
}

#[test]
fn unknown_columns_functions_and_signals_have_suggestions() {
    assert_eq!(
        reported("SELECT naem FROM traces"),
        [r#"naem FRO: no column "naem" (name)"#]
    );
    assert_eq!(
        reported("SELECT lowr(name) FROM traces"),
        [r#"lowr(nam: no function "lowr" (lower)"#]
    );
    let tables = reported("SELECT name FROM trace");
    assert!(tables[0].starts_with(r#"trace: no signal "trace"; the tables are traces, metrics"#));
    assert!(tables[0].ends_with("(traces)"), "{tables:?}");
}

#[test]
fn all_problems_of_a_text_are_reported() {
    let sql = "SELECT naem, lowr(name)\nFROM traces\nWHERE kindd = 2 AND duratoin > 5";
    let found = reported(sql);
    let expected = [
        r#"naem, lo: no column "naem" (name)"#,
        r#"lowr(nam: no function "lowr" (lower)"#,
        r#"kindd = : no column "kindd" (kind)"#,
        r#"duratoin: no column "duratoin""#,
    ];
    assert_eq!(found, expected);
}

#[test]
fn errors_that_another_problem_causes_are_not_reported() {
    let found = reported("SELECT without(atributes, 'k'), lower(naem) + 1 FROM traces");
    let expected = [
        r#"atribute: no column "atributes" (attributes)"#,
        r#"naem) + : no column "naem" (name)"#,
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_syntax_error_is_reported_at_its_position() {
    assert_eq!(reported("SELECT name FORM traces").len(), 1);
    let found = reported("SELECT name,, kind FROM traces");
    assert!(found[0].starts_with(", kind F"), "{found:?}");
}

#[test]
fn a_type_error_is_reported_at_its_expression() {
    let sum = reported("SELECT name * 2 FROM traces");
    assert!(sum[0].starts_with("name * 2"), "{sum:?}");
    let call = reported("SELECT upper(name), date_trunc('day', name, 3) FROM traces");
    assert!(call[0].starts_with("date_tru"), "{call:?}");
}

#[test]
fn text_instead_of_a_number_is_reported_with_the_missing_cast() {
    for (sql, place) in [
        ("SELECT attributes['n'] + 1 FROM traces", "attribut"),
        ("SELECT sum(attributes['n']) FROM traces", "sum(attr"),
    ] {
        let found = reported(sql);
        assert!(found[0].ends_with("attributes['n']::DOUBLE"), "{found:?}");
        assert!(
            found[0].starts_with(place) || found[0].starts_with("'n'"),
            "{found:?}"
        );
        assert!(!found[0].contains("Internal error"), "{found:?}");
    }
}

#[test]
fn functions_of_attributes_reject_other_arguments() {
    let name = reported("SELECT without(name, 'k') FROM traces");
    assert!(name[0].contains("is not of type attributes"), "{name:?}");
    let lost = reported("SELECT coalesce(attributes, resource_attributes)['k'] FROM traces");
    assert!(lost[0].contains("inside of them"), "{lost:?}");
    let text = reported("SELECT replace_all(name, 'a', 'b') FROM traces");
    assert!(text[0].contains("use regexp_replace for text"), "{text:?}");
    let pattern = reported("SELECT replace_all(attributes, '(', 'b') FROM traces");
    assert!(pattern[0].contains("unclosed group"), "{pattern:?}");
    let odd = reported("SELECT set(attributes, 'k') FROM traces");
    assert!(odd[0].contains("the last key has no value"), "{odd:?}");
    let expression = reported("SELECT attributes[name] FROM traces");
    assert!(
        expression[0].contains("a key of attributes must be a text"),
        "{expression:?}"
    );
}

#[test]
fn unsupported_queries_are_rejected() {
    let recursive = reported(
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) \
         SELECT name FROM traces, n",
    );
    assert!(recursive[0].starts_with("RECURSIV"), "{recursive:?}");
    assert!(
        recursive[0].contains("cannot be run again"),
        "{recursive:?}"
    );
    let join = reported("SELECT t.name FROM traces t JOIN drift d ON t.uid = d.uid");
    assert!(join[0].starts_with("JOIN dri"), "{join:?}");
    assert!(
        join[0].contains("traces and drift are never in one batch"),
        "{join:?}"
    );
    let inside = reported("SELECT name FROM traces WHERE uid IN (SELECT uid FROM drift)");
    assert!(inside[0].contains("are never in one batch"), "{inside:?}");
    let value =
        reported("SELECT name FROM traces WHERE kind > (SELECT max(severity_number) FROM logs)");
    assert!(value[0].starts_with("logs)"), "{value:?}");
    assert!(value[0].contains("are never in one batch"), "{value:?}");
    for sql in [
        "SELECT 1",
        "DROP TABLE traces",
        "SELECT name FROM traces; SELECT 1",
    ] {
        assert_eq!(reported(sql).len(), 1, "{sql}");
    }
    assert!(
        Query::new(
            "SELECT t.name FROM traces t JOIN drift d ON t.uid = d.uid",
            true
        )
        .is_ok()
    );
}

#[test]
fn window_functions_need_a_window() {
    let found = reported("SELECT window_start() FROM traces");
    assert!(found[0].contains("needs a window"), "{found:?}");
    assert!(Query::new("SELECT window_start(), window_end() FROM traces", true).is_ok());
}
