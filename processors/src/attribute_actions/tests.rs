//! Tests of each action, of their order, and of invalid actions.

use pipeline::attributes::{Map, map_from_json, map_to_json};
use pipeline::config::{LoadContext, load};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{AttributeAction, AttributeActions};

#[derive(Debug, Deserialize)]
struct ActionsSetting {
    actions: Vec<AttributeAction>,
}

fn parse(actions: &str) -> Result<Vec<AttributeAction>, String> {
    let settings = [format!("actions={actions}")];
    let loaded = load(&[], &settings, LoadContext::default());
    let document: Result<ActionsSetting, _> = loaded.root.decode();
    document
        .map(|document| document.actions)
        .map_err(|error| error.to_string())
}

/// Applies actions to attributes.
#[track_caller]
fn act(actions: &str, before: &Json) -> Json {
    let mut actions = AttributeActions::new(parse(actions).unwrap());
    let run = map_from_json(before.as_object().unwrap());
    let mut out = Vec::new();
    if !actions.apply(&run, &mut out) {
        assert!(out.is_empty());
        return before.clone();
    }
    assert_ne!(out, run, "`apply` returns true only if the bytes differ");
    Json::Object(map_to_json(Map::new(&out)))
}

#[test]
fn insert_sets_missing_keys_update_present_keys_and_upsert_both() {
    let before = json!({"a": 1});
    let insert = |key| {
        act(
            &format!("[{{action: insert, key: {key}, value: 2}}]"),
            &before,
        )
    };
    assert_eq!(insert("a"), before);
    assert_eq!(insert("b"), json!({"a": 1, "b": 2}));
    let update = |key| {
        act(
            &format!("[{{action: update, key: {key}, value: 2}}]"),
            &before,
        )
    };
    assert_eq!(update("a"), json!({"a": 2}));
    assert_eq!(update("b"), before);
    let upsert = |key| {
        act(
            &format!("[{{action: UPSERT, key: {key}, value: 2}}]"),
            &before,
        )
    };
    assert_eq!(upsert("a"), json!({"a": 2}));
    assert_eq!(upsert("b"), json!({"a": 1, "b": 2}));
}

#[test]
fn value_keeps_its_type_in_yaml() {
    let set = |value: &str| {
        act(
            &format!("[{{action: insert, key: k, value: {value}}}]"),
            &json!({}),
        )
    };
    assert_eq!(set("2245"), json!({"k": 2245}));
    assert_eq!(set("2.0"), json!({"k": 2.0}));
    assert_eq!(set("true"), json!({"k": true}));
    assert_eq!(set("'2245'"), json!({"k": "2245"}));
    assert_eq!(set("[a, 1]"), json!({"k": ["a", 1]}));
    assert_eq!(set("{x: {y: 1}}"), json!({"k": {"x": {"y": 1}}}));
}

#[test]
fn value_may_come_from_another_attribute_or_the_default() {
    let copy = "[{key: copy, from_attribute: original, action: upsert}]";
    assert_eq!(
        act(copy, &json!({"original": [1, "x"]})),
        json!({"original": [1, "x"], "copy": [1, "x"]})
    );
    assert_eq!(act(copy, &json!({"copy": 7})), json!({"copy": 7}));
    let default = "[{key: region, from_attribute: cloud.region, default_value: us-east-1, \
                   action: insert}]";
    assert_eq!(act(default, &json!({})), json!({"region": "us-east-1"}));
    assert_eq!(
        act(default, &json!({"cloud.region": "eu"})),
        json!({"cloud.region": "eu", "region": "eu"})
    );
}

#[test]
fn delete_removes_a_key_and_keys_that_match_a_pattern() {
    let before = json!({"password": 1, "user.name": 2, "user.mail": 3, "x": 4});
    let delete = |selector: &str| act(&format!("[{{action: delete, {selector}}}]"), &before);
    assert_eq!(
        delete("key: password"),
        json!({"user.name": 2, "user.mail": 3, "x": 4})
    );
    assert_eq!(
        delete(r"pattern: '^user\.'"),
        json!({"password": 1, "x": 4})
    );
    assert_eq!(delete(r"key: x, pattern: 'user'"), json!({"password": 1}));
    assert_eq!(delete("key: y"), before);
}

/// The expected hashes come from sha256sum(1).
#[test]
fn hash_is_sha_256_of_the_value() {
    let before = json!({"mail": "john@x.com", "n": 1, "yes": true, "list": [1], "none": ""});
    let after = act("[{action: hash, pattern: '.*'}]", &before);
    let expected = [
        ("mail", MAIL),
        ("n", ONE),
        ("yes", TRUE),
        ("list", ""),
        ("none", ""),
    ];
    for (key, hash) in expected {
        assert_eq!(after[key], hash, "{key}");
    }
    let one = act("[{action: hash, key: mail}]", &before);
    assert_eq!((&one["mail"], &one["n"]), (&json!(MAIL), &json!(1)));
}

const MAIL: &str = "ac5454f9906a6e0d79df3efdaa4b9f52c88ca7482adb1f69716e7a854df0caf5";
const ONE: &str = "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8";
const TRUE: &str = "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a";

#[test]
fn extract_sets_an_attribute_for_each_named_group() {
    let actions = r"[{key: http.url, action: extract, pattern: '^(?P<scheme>.*)://(?P<host>[^/]*)(?P<port>:\d+)?/'}]";
    let before = json!({"http.url": "https://shop/cart?x", "host": 7});
    assert_eq!(
        act(actions, &before),
        json!({"http.url": "https://shop/cart?x", "host": "shop", "scheme": "https", "port": ""})
    );
    for unchanged in [
        json!({"http.url": "shop"}),
        json!({"http.url": 1}),
        json!({}),
    ] {
        assert_eq!(act(actions, &unchanged), unchanged);
    }
}

#[test]
fn convert_leaves_values_that_it_cannot_convert() {
    let to = |to: &str, value: Json| {
        let actions = format!("[{{key: k, action: convert, converted_type: {to}}}]");
        act(&actions, &json!({ "k": value }))["k"].clone()
    };
    assert_eq!(to("int", json!("200")), json!(200));
    assert_eq!(to("int", json!("2x")), json!("2x"));
    assert_eq!(to("int", json!(-2.9)), json!(-2));
    assert_eq!(to("int", json!(true)), json!(1));
    assert_eq!(to("int", json!([1])), json!([1]));
    assert_eq!(to("double", json!("1.5")), json!(1.5));
    assert_eq!(to("double", json!(2)), json!(2.0));
    assert_eq!(to("double", json!(false)), json!(0.0));
    assert_eq!(to("string", json!(200)), json!("200"));
    assert_eq!(to("string", json!(2.0)), json!("2"));
    assert_eq!(to("string", json!(1e21)), json!("1e+21"));
    assert_eq!(to("string", json!(1.5e-7)), json!("1.5e-7"));
    assert_eq!(to("string", json!(true)), json!("true"));
    assert_eq!(to("string", json!({"a": [1]})), json!(r#"{"a":[1]}"#));
}

/// The example of the Collector's documentation.
#[test]
fn actions_apply_in_order() {
    let actions = "[
        {key: db.table, action: delete},
        {key: redacted_span, value: true, action: upsert},
        {key: copy_key, from_attribute: key_original, action: update},
        {key: account_id, value: 2245, action: insert},
        {key: account_password, action: delete},
        {key: account_email, action: hash},
        {key: http.status_code, action: convert, converted_type: int}]";
    let before = json!({
        "db.table": "t", "copy_key": "old", "key_original": "new", "account_password": "p",
        "account_email": "john@x.com", "http.status_code": "500"
    });
    assert_eq!(
        act(actions, &before),
        json!({
            "copy_key": "new", "key_original": "new", "account_email": MAIL,
            "http.status_code": 500, "redacted_span": true, "account_id": 2245
        })
    );
    let there_and_back = "[{key: k, value: 1, action: insert}, {key: k, action: delete}]";
    assert_eq!(act(there_and_back, &json!({"a": 1})), json!({"a": 1}));
}

#[test]
fn invalid_action_is_rejected_with_advice() {
    for (wrong, expected) in [
        (
            "{action: replace, key: k}",
            "unsupported action \"replace\": use insert",
        ),
        ("{action: insert, value: 1}", "insert needs key"),
        (
            "{action: insert, key: k}",
            "insert needs value or from_attribute",
        ),
        ("{action: insert, key: '', value: 1}", "insert needs key"),
        (
            "{action: update, key: k, value: 1, from_attribute: x}",
            "both value and from_attribute",
        ),
        (
            "{action: upsert, key: k, value: 1, pattern: x}",
            "does not use pattern",
        ),
        ("{action: delete}", "delete needs key or pattern"),
        ("{action: delete, key: k, value: 1}", "does not use value"),
        ("{action: hash, pattern: '('}", "pattern of hash"),
        ("{action: extract, key: k}", "extract needs pattern"),
        (
            "{action: extract, key: k, pattern: '(.*)'}",
            "every group needs a name",
        ),
        (
            "{action: extract, key: k, pattern: 'x'}",
            "every group needs a name",
        ),
        (
            "{action: convert, key: k}",
            "converted_type: int, double or string",
        ),
        (
            "{action: insert, key: k, from_context: metadata.tenant}",
            "carry no metadata of the client",
        ),
        ("{action: insert, key: k, value: 1, when: 2}", "when"),
    ] {
        let error = parse(&format!("[{wrong}]")).unwrap_err();
        assert!(error.contains(expected), "{wrong}: {error}");
    }
    assert!(parse("[{action: convert, key: k, converted_type: bool}]").is_err());
}
