//! Tests of the problems that a check against a JSON schema reports.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::component::StoreRef;
use crate::config::{HostPort, LoadContext, YamlNode, duration, parse};

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct Config {
    port: u16,
    endpoint: Option<HostPort>,
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    wait: Duration,
    protocols: Protocols,
    tls: Option<Tls>,
    level: Level,
    store: Option<StoreRef>,
    #[schemars(range(min = 0.0, max = 1.0))]
    ratio: f64,
    rules: Vec<Rule>,
    labels: BTreeMap<String, u8>,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct Protocols {
    grpc: Option<String>,
    http: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tls {
    cert_file: String,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
enum Level {
    /// One line.
    #[default]
    Basic,
    /// Many lines.
    Detailed,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Rule {
    Name(String),
    Own { name: String, sql: String },
}

fn messages(text: &str) -> Vec<String> {
    let node = YamlNode::from_yaml(text).unwrap();
    super::check(&node, &schema_for!(Config), &["timeout"])
        .problems
        .iter()
        .map(|problem| {
            let (position, message) = (&problem.position, &problem.message);
            let suggestion = problem.suggestion.as_deref().unwrap_or("-");
            format!(
                "{}:{} {message} {suggestion}",
                position.line, position.column
            )
        })
        .collect()
}

#[test]
fn problem_has_the_position_of_its_value() {
    let text = "port: 1\nendpoint: foo\nwait: soon\n";
    assert_eq!(
        messages(text),
        [
            "2:11 expected host:port, such as localhost:4317, or 0.0.0.0:4317 for all addresses of the \
             machine -",
            "3:7 expected a duration such as 200ms, 5s or 1m30s -",
        ]
    );
}

#[test]
fn valid_configuration_has_no_problems() {
    let text = "port: 1\nwait: 1m30s\nprotocols: {grpc: 1}\ntls: {cert_file: x}\n\
                level: detailed\nstore: sqlite/a\nratio: 1\nrules: [a, {name: b, sql: c}]\n\
                labels: {a: 1}";
    assert_eq!(messages(text), Vec::<String>::new());
    assert_eq!(
        messages("protocols:\ntls:\nrules:\nlabels:\nstore:"),
        Vec::<String>::new()
    );
    let node = YamlNode::from_yaml(text).unwrap();
    let stores = super::check(&node, &schema_for!(Config), &[]).stores;
    assert_eq!(stores[0].id.to_string(), "sqlite/a");
    assert_eq!(stores[0].position.line, 6);
}

#[test]
fn all_problems_are_found_with_their_positions() {
    let text = "port: 70000\nwait: 5\nprotocol: {}\nprotocols: {gprc: x}\n\
                tls: {}\nlevel: detaild\nstore: 9\nratio: 2\nrules: [[x]]\nlabels: {a: x}\n\
                timeuot: 1s";
    let expected = [
        "1:7 expected a number of at most 65535 -",
        "2:7 expected a duration such as 200ms, 5s or 1m30s 5s",
        "3:1 unknown key \"protocol\" protocols",
        "4:13 unknown key \"gprc\" grpc",
        "5:6 key \"cert_file\" is missing -",
        "6:8 expected one of basic, detailed detailed",
        "7:8 expected the id of an exporter: type or type/name -",
        "8:8 expected a number of at most 1 -",
        "9:9 expected text or a map, found a list -",
        "10:13 expected a whole number, found text -",
        "11:1 unknown key \"timeuot\" timeout",
    ];
    assert_eq!(messages(text), expected);
}

#[test]
fn problems_come_from_the_branch_that_matches_best() {
    assert_eq!(
        messages("rules: [{name: x}]"),
        ["1:9 key \"sql\" is missing -"]
    );
    assert_eq!(messages("tls: yes"), ["1:6 expected a map, found text -"]);
    assert_eq!(
        messages("level: [x]"),
        ["1:8 expected text, found a list -"]
    );
}

#[test]
fn problems_show_the_line_as_written_and_no_value_of_the_environment() {
    let mut context = LoadContext {
        environment: Box::new(|_| Some("hunter2".to_owned())),
        ..LoadContext::default()
    };
    let text = "port: ${env:S}\nlevel: ${env:S}\nwait: ${env:S}\ntls: ${env:S}";
    let node = parse::parse("test.yaml", text, &mut context).unwrap();
    let found = super::check(&node, &schema_for!(Config), &[]);
    assert_eq!(found.problems.len(), 4);
    for problem in found.problems {
        let shown = format!("{problem} {problem:?}");
        let shown = shown.replace(text, "");
        assert!(
            shown.contains("${env:S}") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
