//! Tests of attributes and bodies in expressions.

use super::*;

#[test]
fn brackets_read_one_value_as_text() {
    let attributes =
        json!({"a": "text", "n": 5, "d": 1.5, "b": true, "list": [1, "x"], "map": {"k": "v"}});
    let read = |expression| of_one(expression, attributes.clone());
    assert_eq!(read("attributes['a']"), "text");
    assert_eq!(read("attributes['n']"), "5");
    assert_eq!(read("attributes['d']"), "1.5");
    assert_eq!(read("attributes['b']"), "true");
    assert_eq!(read("attributes['list']"), r#"[1,"x"]"#);
    assert_eq!(read("attributes['map']"), r#"{"k":"v"}"#);
    assert_eq!(read("attributes['absent']"), "-");
}

#[test]
fn a_long_value_is_a_view_of_the_original() {
    let long = "a text that is longer than a view can hold";
    let attributes = json!({"before": "x", "k": long, "map": {"deep": [long]}});
    assert_eq!(of_one("attributes['k']", attributes.clone()), long);
    assert_eq!(of_one("attributes['map']['deep'][0]", attributes), long);
}

#[test]
fn brackets_read_into_maps_and_into_arrays_from_index_0() {
    let attributes = json!({"p": [{"port": 22}, {"port": 443}], "x": {"y": {"z": "deep"}}});
    let read = |expression| of_one(expression, attributes.clone());
    assert_eq!(read("attributes['p'][1]['port']"), "443");
    assert_eq!(read("attributes['x']['y']['z']"), "deep");
    assert_eq!(read("attributes['p'][2]['port']"), "-");
    assert_eq!(read("attributes['x'][0]"), "-");
    assert_eq!(read("attributes['p']['port']"), "-");
}

#[test]
fn a_cast_yields_a_value_of_that_type_and_null_for_any_other() {
    let attributes = json!({"n": 500, "d": 1.5, "t": "7", "b": true});
    let read = |expression| of_one(expression, attributes.clone());
    assert_eq!(read("attributes['n']::BIGINT"), "500");
    assert_eq!(read("attributes['n']::INT + 1"), "501");
    assert_eq!(read("attributes['n']::DOUBLE"), "500.0");
    assert_eq!(read("attributes['d']::BIGINT"), "1");
    assert_eq!(read("CAST(attributes['d'] AS DOUBLE)"), "1.5");
    assert_eq!(read("attributes['t']::BIGINT"), "-");
    assert_eq!(read("attributes['b']::BOOLEAN"), "true");
    assert_eq!(read("attributes['n']::BOOLEAN"), "-");
    assert_eq!(read("attributes['n']::VARCHAR"), "500");
}

#[test]
fn a_comparison_with_a_number_compares_by_value() {
    let attributes = json!({
        "n": 500, "d": 499.5, "t": "abc",
        "big": 9_007_199_254_740_993_i64, "huge": 9.25e18, "least": i64::MIN as f64,
    });
    let holds = |condition| of_one(condition, attributes.clone());
    assert_eq!(holds("attributes['n'] >= 500"), "true");
    assert_eq!(holds("500 > attributes['n']"), "false");
    assert_eq!(holds("attributes['d'] > 499"), "true");
    assert_eq!(holds("attributes['d'] >= 500"), "false");
    assert_eq!(holds("attributes['d'] = 499"), "false");
    assert_eq!(holds("attributes['n'] BETWEEN 400 AND 599"), "true");
    assert_eq!(holds("attributes['d'] IN (499, 500)"), "false");
    assert_eq!(holds("attributes['n'] IN (499, 500)"), "true");
    assert_eq!(holds("attributes['big'] = 9007199254740993"), "true");
    assert_eq!(holds("attributes['big'] > 9007199254740992"), "true");
    assert_eq!(holds("attributes['huge']::BIGINT"), "-");
    assert_eq!(holds("attributes['least']::BIGINT"), i64::MIN.to_string());
    assert_eq!(holds("attributes['t'] >= 500"), "-");
    assert_eq!(holds("attributes['t'] = 'abc'"), "true");
    assert_eq!(holds("attributes['absent'] = 500"), "-");
}

#[test]
fn a_value_that_cannot_be_cast_is_null_and_fails_no_batch() {
    let rows = spans(&[
        ("12", json!({})),
        ("abc", json!({})),
        ("99999999999", json!({})),
    ]);
    let sql = "SELECT name::INT, 7 / (name::BIGINT - 12), 7 % 0 FROM traces";
    let expected = ["12 | - | -", "- | - | -", "- | 0 | -"];
    assert_eq!(yielded_by(sql, Signal::Traces, rows), expected);
}

#[test]
fn to_json_and_keys_show_whole_attributes() {
    let attributes = json!({"b": 1, "a": ["x"]});
    assert_eq!(
        of_one("to_json(attributes)", attributes.clone()),
        r#"{"b":1,"a":["x"]}"#
    );
    assert_eq!(of_one("keys(attributes)", attributes), "[b, a]");
}

#[test]
fn set_changes_keys_and_keeps_types() {
    let attributes = json!({"old": 7, "list": [1, 2], "secret": "x"});
    let read = |expression: &str| of_one(&format!("to_json({expression})"), attributes.clone());
    let kept = r#"{"old":7,"list":[1,2],"secret":"x","#;
    assert_eq!(
        read("set(attributes, 'new', 'v')"),
        format!(r#"{kept}"new":"v"}}"#)
    );
    assert_eq!(
        read("set(attributes, 'n', 1, 'd', 0.5)"),
        format!(r#"{kept}"n":1,"d":0.5}}"#)
    );
    assert_eq!(
        read("without(set(attributes, 'new', attributes['old']), 'old', 'secret', 'list')"),
        r#"{"new":7}"#
    );
    assert_eq!(
        read("set(attributes, 'old', attributes['absent'])"),
        read("attributes")
    );
    assert_eq!(
        read("set(attributes, 'old', name)"),
        r#"{"old":"GET /","list":[1,2],"secret":"x"}"#
    );
    assert_eq!(read("set(attributes, 'list', NULL)"), read("attributes"));
    let nested = r#"{"a":"GET /","inner":{"old":7,"list":[1,2],"secret":"x"}}"#;
    assert_eq!(read("attributes('a', name, 'inner', attributes)"), nested);
    assert_eq!(
        read("set(attributes, 'old', upper(name))"),
        read("set(attributes, 'old', name)")
    );
}

#[test]
fn rows_with_the_same_attributes_are_edited_each_with_its_values() {
    let sql = "SELECT set(attributes, 'k', name)['k'], without(attributes, 'k')['k'] FROM traces";
    let same = json!({"k": "a value that is longer than twelve bytes", "other": "x"});
    let rows = spans(&[("one", same.clone()), ("two", same)]);
    assert_eq!(
        yielded_by(sql, Signal::Traces, rows),
        ["one | -", "two | -"]
    );
}

#[test]
fn bodies_are_read_like_attributes() {
    let rows = bodies(&[json!({"msg": "hello", "n": [1, 2]}), json!("plain")]);
    let sql = "SELECT body['msg'], body['n'][1]::BIGINT, to_json(body) FROM logs";
    let expected = [
        r#"hello | 2 | {"msg":"hello","n":[1,2]}"#,
        r#"- | - | "plain""#,
    ];
    assert_eq!(yielded_by(sql, Signal::Logs, rows), expected);
}

#[test]
fn attributes_keep_their_type_in_subqueries_and_unions() {
    let sql = "SELECT a['k'] FROM (SELECT attributes AS a FROM traces UNION ALL SELECT attributes FROM traces)";
    let rows = spans(&[("x", json!({"k": "v"}))]);
    assert_eq!(yielded_by(sql, Signal::Traces, rows), ["v", "v"]);
}

#[test]
fn rows_are_grouped_ordered_and_joined() {
    let rows = || {
        spans(&[
            ("a", json!({"n": 1})),
            ("b", json!({"n": 5})),
            ("a", json!({"n": 3})),
        ])
    };
    let sql = "SELECT name, count(*), sum(attributes['n']::BIGINT) FROM traces GROUP BY name ORDER BY name";
    assert_eq!(
        yielded_by(sql, Signal::Traces, rows()),
        ["a | 2 | 4", "b | 1 | 5"]
    );
    let sql = "SELECT name, row_number() OVER (PARTITION BY name ORDER BY attributes['n']::BIGINT DESC) AS n \
               FROM traces ORDER BY name, n";
    assert_eq!(
        yielded_by(sql, Signal::Traces, rows()),
        ["a | 1", "a | 2", "b | 1"]
    );
    let sql = "SELECT l.name FROM traces l JOIN traces r ON l.name = r.name \
               AND l.attributes['n'] < r.attributes['n']";
    assert_eq!(yielded_by(sql, Signal::Traces, rows()), ["a"]);
}

#[test]
fn a_cast_to_text_sets_text() {
    let attributes = json!({"n": 5});
    let read = |expression: &str| of_one(&format!("to_json({expression})"), attributes.clone());
    assert_eq!(
        read("set(attributes, 'n', attributes['n']::TEXT)"),
        r#"{"n":"5"}"#
    );
    assert_eq!(
        read("set(attributes, 'm', attributes['n'])"),
        r#"{"n":5,"m":5}"#
    );
}

#[test]
fn a_body_without_brackets_is_read_as_a_whole() {
    let read = |expression: &str| {
        let sql = format!("SELECT {expression} FROM logs");
        let rows = bodies(&[json!("plain"), json!(7), json!({"k": "plan"})]);
        yielded_by(&sql, Signal::Logs, rows).join(" | ")
    };
    assert_eq!(read("body::TEXT"), r#"plain | 7 | {"k":"plan"}"#);
    assert_eq!(read("body::BIGINT"), "- | 7 | -");
    assert_eq!(read("body::TEXT LIKE '%pla%'"), "true | false | true");
    assert_eq!(read("body LIKE '%pla%'"), "true | false | true");
    assert_eq!(read("body = 'plain'"), "true | false | false");
    assert_eq!(read("body IN ('plain', 'x')"), "true | false | false");
    assert_eq!(read("upper(body::TEXT)"), r#"PLAIN | 7 | {"K":"PLAN"}"#);
    assert_eq!(read("body::BIGINT > 6"), "- | true | -");
}

#[test]
fn a_long_chain_of_conditions_is_planned() {
    let names: Vec<String> = (0..300).map(|name| format!("name = '{name}'")).collect();
    let sql = format!("SELECT name FROM traces WHERE {}", names.join(" OR "));
    let rows = spans(&[("299", json!({})), ("300", json!({}))]);
    assert_eq!(yielded_by(&sql, Signal::Traces, rows), ["299"]);
}

#[test]
fn texts_are_replaced_at_any_depth() {
    let attributes = json!({"a": "card 4111", "n": 4111, "list": ["4111", {"k": "no"}]});
    assert_eq!(
        of_one(
            r"to_json(replace_all(attributes, '\d{2}(\d{2})', '..\1'))",
            attributes
        ),
        r#"{"a":"card ..11","n":4111,"list":["..11",{"k":"no"}]}"#
    );
    let sql = "SELECT to_json(replace_all(body, '(?i)SECRET', '***')) FROM logs";
    let rows = bodies(&[json!("a secret"), json!({"deep": ["Secret"]}), json!(7)]);
    let expected = [r#""a ***""#, r#"{"deep":["***"]}"#, "7"];
    assert_eq!(yielded_by(sql, Signal::Logs, rows), expected);
}

/// Runs the expressions that `docs/sql.md` gives for OTTL functions.
#[test]
fn the_sql_of_the_ottl_table_works() {
    let attributes = json!({"k": "caat", "a": 1, "b": [true], "t": "12", "long": "x".repeat(200)});
    let read = |expression: &str| of_one(expression, attributes.clone());
    let edited = |expression: &str, key: &str| read(&format!("({expression})['{key}']"));
    assert_eq!(edited("set(attributes, 'k', 'v')", "k"), "v");
    let failed = "set(attributes, 'f', CASE WHEN status_code = 2 THEN 1 END)";
    assert_eq!(edited(failed, "f"), "-");
    let root = "set(attributes, 'f', CASE WHEN kind = 0 THEN 1 END)";
    assert_eq!(edited(root, "f"), "1");
    assert_eq!(edited("without(attributes, 'k')", "k"), "-");
    assert_eq!(
        read(
            "to_json(attributes('a', attributes['a'], 'b', attributes['b'], 'c', attributes['c']))"
        ),
        r#"{"a":1,"b":[true]}"#
    );
    let replaced = "set(attributes, 'k', regexp_replace(attributes['k'], 'a+', 'b', 'g'))";
    assert_eq!(edited(replaced, "k"), "cbt");
    let truncated = r"replace_all(attributes, '(?s)^(.{100}).+$', '\1')";
    assert_eq!(edited(truncated, "long").len(), 100);
    assert_eq!(edited(truncated, "k"), "caat");
    assert_eq!(read("concat_ws(' ', attributes['k'], 'b')"), "caat b");
    assert_eq!(read("attributes['t']::TEXT::BIGINT"), "12");
    assert_eq!(read("attributes['t']::BIGINT"), "-");
    assert_eq!(read("encode(sha256(attributes['k']), 'hex')").len(), 64);
    assert_eq!(
        read("regexp_like(attributes['k'], '^ca') IS NOT TRUE"),
        "false"
    );
    assert_eq!(read("(attributes['absent'] = 'x') IS NOT TRUE"), "true");
    assert_eq!(read("attributes['absent'] IS DISTINCT FROM 'x'"), "true");
    assert_eq!(read("attributes['absent'] != 'x'"), "-");
    assert_eq!(
        edited(
            "set(attributes, 'k', attributes['b'], 'k', attributes['a'])",
            "k"
        ),
        "1"
    );
    assert_eq!(
        read("set(attributes, 'k', attributes['absent'])['k']"),
        "caat"
    );
}
