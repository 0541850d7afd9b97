//! Tests of the types of scalars, and of the positions in errors.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::{LoadContext, YamlNode, parse};

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
struct Config {
    name: String,
    port: u16,
    ratio: f64,
    on: Option<bool>,
    mode: Mode,
    list: Vec<Item>,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Plain,
    With {
        depth: u8,
    },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(try_from = "String")]
struct Item(String);

impl TryFrom<String> for Item {
    type Error = String;

    fn try_from(text: String) -> Result<Item, String> {
        if text.starts_with("bad") {
            return Err(format!("{text:?} is bad"));
        }
        Ok(Item(text))
    }
}

fn wrong(text: &str) -> String {
    let node = YamlNode::from_yaml(text).unwrap();
    node.decode::<Config>().unwrap_err().to_string()
}

#[test]
fn fields_decide_how_scalars_are_typed() {
    let text = "{name: 0123, port: 0x10, ratio: 3, on: true, mode: {with: {depth: 2}},\n\
                list: [1, yes], labels: {a: 1.50, 2: null-ish}}";
    let config: Config = YamlNode::from_yaml(text).unwrap().decode().unwrap();
    let expected = Config {
        name: "0123".into(),
        port: 16,
        ratio: 3.0,
        on: Some(true),
        mode: Mode::With { depth: 2 },
        list: vec![Item("1".into()), Item("yes".into())],
        labels: [("a", "1.50"), ("2", "null-ish")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    };
    assert_eq!(config, expected);
}

#[test]
fn empty_value_is_an_empty_map() {
    let root = YamlNode::from_yaml("otlp:").unwrap();
    let config: Config = root.get("otlp").unwrap().decode().unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(YamlNode::empty().decode::<Config>().unwrap(), config);
}

#[test]
fn errors_have_the_position_of_the_innermost_node() {
    assert_eq!(
        wrong("list:\n  - ok\n  - bad one\n"),
        "test.yaml:3:5: \"bad one\" is bad"
    );
    assert_eq!(
        wrong("port: \"80\""),
        "test.yaml:1:7: expected a number, found text"
    );
    assert!(wrong("a: 1\nnmae: x").starts_with("test.yaml:1:1: unknown field"));
    assert!(wrong("port: 70000").starts_with("test.yaml:1:7: "));
    assert!(wrong("mode: odd").contains("unknown variant"));
    assert!(wrong("name: ~").contains("expected text, found nothing"));
}

#[test]
fn errors_never_show_values_of_the_environment() {
    let mut context = LoadContext {
        environment: Box::new(|_| Some("bad hunter2 \"x\"".to_owned())),
        ..LoadContext::default()
    };
    for text in [
        "list: [\"${env:S}\"]",
        "port: ${env:S}",
        "mode: ${env:S}",
        "on: ${S}",
    ] {
        let node = parse::parse("test.yaml", text, &mut context).unwrap();
        let error = node.decode::<Config>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        assert!(!format!("{node:?}").contains("hunter2"));
    }
}
