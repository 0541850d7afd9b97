//! What is wrong with a text, and where.

use super::*;

/// Each mistake as `what stands there: message (suggestion)`.
fn told(sql: &str) -> Vec<String> {
    let tell = |mistake: Mistake| {
        let there: String = sql[mistake.offset..].chars().take(8).collect();
        let suggestion = mistake
            .suggestion
            .map(|word| format!(" ({word})"))
            .unwrap_or_default();
        format!("{there}: {}{suggestion}", mistake.message)
    };
    mistakes(sql).into_iter().map(tell).collect()
}

#[test]
fn a_column_a_function_and_a_signal_are_named_with_the_nearest() {
    assert_eq!(
        told("SELECT naem FROM traces"),
        [r#"naem FRO: no column "naem" (name)"#]
    );
    assert_eq!(
        told("SELECT lowr(name) FROM traces"),
        [r#"lowr(nam: no function "lowr" (lower)"#]
    );
    let tables = told("SELECT name FROM trace");
    assert!(tables[0].starts_with(r#"trace: no signal "trace"; the tables are traces, metrics"#));
    assert!(tables[0].ends_with("(traces)"), "{tables:?}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let sql = "SELECT naem, lowr(name)\nFROM traces\nWHERE kindd = 2 AND duratoin > 5";
    let told = told(sql);
    let expected = [
        r#"naem, lo: no column "naem" (name)"#,
        r#"lowr(nam: no function "lowr" (lower)"#,
        r#"kindd = : no column "kindd" (kind)"#,
        r#"duratoin: no column "duratoin""#,
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_follows_from_a_mistake_is_not_told() {
    let told = told("SELECT without(atributes, 'k'), lower(naem) + 1 FROM traces");
    let expected = [
        r#"atribute: no column "atributes" (attributes)"#,
        r#"naem) + : no column "naem" (name)"#,
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_slip_of_the_pen_is_told_where_the_parser_stumbles() {
    assert_eq!(told("SELECT name FORM traces").len(), 1);
    let told = told("SELECT name,, kind FROM traces");
    assert!(told[0].starts_with(", kind F"), "{told:?}");
}

#[test]
fn a_type_that_does_not_fit_is_told_where_it_stands() {
    let sum = told("SELECT name * 2 FROM traces");
    assert!(sum[0].starts_with("name * 2"), "{sum:?}");
    let call = told("SELECT upper(name), date_trunc('day', name, 3) FROM traces");
    assert!(call[0].starts_with("date_tru"), "{call:?}");
}

#[test]
fn text_where_a_number_is_needed_is_told_with_the_cast() {
    for (sql, place) in [
        ("SELECT attributes['n'] + 1 FROM traces", "attribut"),
        ("SELECT sum(attributes['n']) FROM traces", "sum(attr"),
    ] {
        let told = told(sql);
        assert!(told[0].ends_with("attributes['n']::DOUBLE"), "{told:?}");
        assert!(
            told[0].starts_with(place) || told[0].starts_with("'n'"),
            "{told:?}"
        );
        assert!(!told[0].contains("Internal error"), "{told:?}");
    }
}

#[test]
fn what_are_no_attributes_has_no_keys() {
    let name = told("SELECT without(name, 'k') FROM traces");
    assert!(name[0].contains("are no attributes"), "{name:?}");
    let lost = told("SELECT coalesce(attributes, resource_attributes)['k'] FROM traces");
    assert!(lost[0].contains("inside of them"), "{lost:?}");
    let text = told("SELECT replace_all(name, 'a', 'b') FROM traces");
    assert!(text[0].contains("regexp_replace is for text"), "{text:?}");
    let pattern = told("SELECT replace_all(attributes, '(', 'b') FROM traces");
    assert!(pattern[0].contains("unclosed group"), "{pattern:?}");
    let odd = told("SELECT set(attributes, 'k') FROM traces");
    assert!(odd[0].contains("the last key has no value"), "{odd:?}");
    let expression = told("SELECT attributes[name] FROM traces");
    assert!(
        expression[0].contains("a key of attributes is a text"),
        "{expression:?}"
    );
}

#[test]
fn what_cannot_be_run_again_or_never_ends_is_refused() {
    let recursive = told(
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) \
         SELECT name FROM traces, n",
    );
    assert!(recursive[0].starts_with("RECURSIV"), "{recursive:?}");
    assert!(
        recursive[0].contains("cannot be run again"),
        "{recursive:?}"
    );
    let join = told("SELECT t.name FROM traces t JOIN drift d ON t.uid = d.uid");
    assert!(join[0].starts_with("JOIN dri"), "{join:?}");
    assert!(
        join[0].contains("traces and drift never come in one batch"),
        "{join:?}"
    );
    let inside = told("SELECT name FROM traces WHERE uid IN (SELECT uid FROM drift)");
    assert!(inside[0].contains("never come in one batch"), "{inside:?}");
    let value =
        told("SELECT name FROM traces WHERE kind > (SELECT max(severity_number) FROM logs)");
    assert!(value[0].starts_with("logs)"), "{value:?}");
    assert!(value[0].contains("never come in one batch"), "{value:?}");
    for sql in [
        "SELECT 1",
        "DROP TABLE traces",
        "SELECT name FROM traces; SELECT 1",
    ] {
        assert_eq!(told(sql).len(), 1, "{sql}");
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
fn the_ends_of_a_window_are_known_where_there_is_one() {
    let told = told("SELECT window_start() FROM traces");
    assert!(told[0].contains("declares a window"), "{told:?}");
    assert!(Query::new("SELECT window_start(), window_end() FROM traces", true).is_ok());
}
