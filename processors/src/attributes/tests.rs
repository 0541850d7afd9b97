//! Tests of the changed attributes, and of `include` and `exclude`.

use std::sync::Arc;

use bytes::Bytes;
use pipeline::attributes::{Map, map_from_json, map_to_json, value_from_json};
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::config::{LoadContext, load};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{logs, metrics, otlp_context, traces};
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp, testing};
use serde_json::{Value as Json, json};

use super::{Attributes, Config};

/// Parses settings `key=YAML`.
fn parse(settings: &[&str]) -> Result<Config, String> {
    let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
    let loaded = load(&[], &settings, LoadContext::default());
    loaded.root.decode().map_err(|error| error.to_string())
}

fn run(settings: &[&str], batch: Batch) -> Batch {
    let host = Host::new(
        "attributes".parse().unwrap(),
        SignalSet::TELEMETRY,
        Arc::default(),
    );
    let mut attributes = Attributes::build(parse(settings).unwrap(), &host).unwrap();
    let mut output = attributes.process(batch, UnixNanos(0)).unwrap();
    assert_eq!(output.len(), 1);
    output.remove(0)
}

fn attributes(batch: &Batch) -> Vec<Json> {
    let runs = batch.bytes(traces::ATTRIBUTES).iter();
    runs.map(|run| Json::Object(map_to_json(Map::new(run.unwrap()))))
        .collect()
}

fn with_attributes(signal: Signal, rows: &[Json]) -> Batch {
    let mut output = Rows::new(signal);
    for row in rows {
        let run = map_from_json(row.as_object().unwrap());
        output.push(
            None,
            None,
            "otlp",
            &[(traces::ATTRIBUTES, Cell::Bytes(&run))],
        );
    }
    output.finish(Delivery::untracked())
}

/// Two spans: a server span of `shop` and a client span of `cart`.
fn spans() -> Batch {
    let mut rows = Rows::new(Signal::Traces);
    for (service, name, kind, env, version) in [
        ("shop", "GET /cart", 2, "prod", "1.0"),
        ("cart", "SELECT", 3, "dev", ""),
    ] {
        let resource = json!({"service.name": service, "env": env, "n": 1});
        let resource = map_from_json(resource.as_object().unwrap());
        let span = map_from_json(json!({"status": 200, "env": env}).as_object().unwrap());
        let cells = [
            (otlp_context::SERVICE_NAME, Cell::Text(service)),
            (otlp_context::RESOURCE_ATTRIBUTES, Cell::Bytes(&resource)),
            (otlp_context::SCOPE_NAME, Cell::Text("http")),
            (otlp_context::SCOPE_VERSION, Cell::Text(version)),
            (traces::NAME, Cell::Text(name)),
            (traces::KIND, Cell::Int(kind)),
            (traces::ATTRIBUTES, Cell::Bytes(&span)),
        ];
        rows.push(None, None, "otlp", &cells);
    }
    rows.finish(Delivery::untracked())
}

/// Which rows match a condition. Asserts that `exclude` selects the complement of `include`.
#[track_caller]
fn matching_rows(condition: &str, batch: &Batch) -> Vec<bool> {
    let mark = "actions=[{key: mark, value: 1, action: insert}]";
    let marked = |side: &str| {
        let condition = format!("{side}={{{condition}}}");
        let after = run(&[mark, &condition], batch.clone());
        let after = attributes(&after);
        after.iter().map(|row| row["mark"] == 1).collect::<Vec<_>>()
    };
    let (included, excluded) = (marked("include"), marked("exclude"));
    let not_excluded: Vec<bool> = excluded.iter().map(|marked| !marked).collect();
    assert_eq!(
        included, not_excluded,
        "exclude is the complement of include"
    );
    included
}

#[test]
fn attributes_of_all_telemetry_are_changed() {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let before = [json!({"a": 1, "b": "x"}), json!({}), json!({"b": true})];
        let after = run(
            &["actions=[{key: b, action: delete}]"],
            with_attributes(signal, &before),
        );
        assert_eq!(
            attributes(&after),
            [json!({"a": 1}), json!({}), json!({})],
            "{signal}"
        );
    }
}

#[test]
fn span_must_match_all_given_properties() {
    let spans = spans();
    for (condition, expected) in [
        ("match_type: strict, services: [shop]", [true, false]),
        ("match_type: strict, services: [sho]", [false, false]),
        ("match_type: regexp, services: ['^sh', x]", [true, false]),
        ("match_type: strict, services: [shop, cart]", [true, true]),
        ("match_type: regexp, span_names: ['/cart$']", [true, false]),
        (
            "match_type: strict, span_kinds: [SPAN_KIND_CLIENT]",
            [false, true],
        ),
        ("match_type: strict, attributes: [{key: env}]", [true, true]),
        (
            "match_type: strict, attributes: [{key: env, value: dev}]",
            [false, true],
        ),
        (
            "match_type: strict, attributes: [{key: status, value: 200}]",
            [true, true],
        ),
        (
            "match_type: strict, attributes: [{key: status, value: '200'}]",
            [false, false],
        ),
        (
            "match_type: regexp, attributes: [{key: status, value: '^2..$'}]",
            [true, true],
        ),
        (
            "match_type: strict, attributes: [{key: env}, {key: missing}]",
            [false, false],
        ),
        (
            "match_type: strict, resources: [{key: env, value: prod}]",
            [true, false],
        ),
        (
            "match_type: strict, libraries: [{name: http}]",
            [true, true],
        ),
        (
            "match_type: strict, libraries: [{name: http, version: '1.0'}]",
            [true, false],
        ),
        (
            "match_type: strict, libraries: [{name: http, version: ''}]",
            [false, true],
        ),
        (
            "match_type: strict, services: [shop], span_kinds: [SPAN_KIND_CLIENT]",
            [false, false],
        ),
        ("match_type: strict, log_bodies: [x]", [false, false]),
        ("match_type: regexp, metric_names: ['.*']", [false, false]),
    ] {
        assert_eq!(matching_rows(condition, &spans), expected, "{condition}");
    }
}

#[test]
fn log_records_match_by_body_and_severity() {
    let mut rows = Rows::new(Signal::Logs);
    for (body, text, number) in [
        (json!("login of root"), "WARN", 13),
        (json!("logout"), "info", 9),
        (json!({"text": "login"}), "", 0),
    ] {
        let body = value_from_json(&body);
        let cells = [
            (logs::BODY, Cell::Bytes(&body)),
            (logs::SEVERITY_TEXT, Cell::Text(text)),
            (logs::SEVERITY_NUMBER, Cell::Int(number)),
        ];
        rows.push(None, None, "otlp", &cells);
    }
    let records = rows.finish(Delivery::untracked());
    for (condition, expected) in [
        (
            "match_type: regexp, log_bodies: [login]",
            [true, false, false],
        ),
        (
            "match_type: strict, log_bodies: [logout]",
            [false, true, false],
        ),
        (
            "match_type: strict, log_severity_texts: [WARN]",
            [true, false, false],
        ),
        (
            "match_type: strict, log_severity_number: {min: 10}",
            [true, false, false],
        ),
        (
            "match_type: strict, log_severity_number: {min: 9, match_undefined: true}",
            [true, true, true],
        ),
        (
            "match_type: strict, span_names: ['']",
            [false, false, false],
        ),
    ] {
        assert_eq!(matching_rows(condition, &records), expected, "{condition}");
    }
}

#[test]
fn data_points_match_by_the_name_of_their_metric() {
    let mut rows = Rows::new(Signal::Metrics);
    for name in ["http.requests", "cpu"] {
        let cells = [
            (metrics::NAME, Cell::Text(name)),
            (metrics::TYPE, Cell::Text("gauge")),
        ];
        rows.push(None, None, "otlp", &cells);
    }
    let points = rows.finish(Delivery::untracked());
    let condition = r"match_type: regexp, regexp: {cacheenabled: true}, metric_names: ['^http\.']";
    assert_eq!(matching_rows(condition, &points), [true, false]);
}

#[test]
fn exclude_takes_precedence_over_include() {
    let after = run(
        &[
            "actions=[{key: mark, value: 1, action: insert}]",
            "include={match_type: regexp, services: [.]}",
            "exclude={match_type: strict, services: [cart]}",
        ],
        spans(),
    );
    let marked = attributes(&after)
        .iter()
        .map(|row| row["mark"] == 1)
        .collect::<Vec<_>>();
    assert_eq!(marked, [true, false]);
}

#[test]
fn unchanged_batch_keeps_the_bytes_of_its_request() {
    let request = Bytes::from_static(b"\x0a\x0d\x12\x0b\x12\x09\x4a\x07\x0a\x01a\x12\x02\x10\x01");
    let decode = || otlp::decode_traces(request.clone(), "otlp", Delivery::untracked()).unwrap();
    assert_eq!(attributes(&decode()), [json!({"a": true})]);
    let same = run(&["actions=[{key: b, action: delete}]"], decode());
    assert_eq!(same.original().unwrap().to_bytes(), request);
    let other = run(
        &["actions=[{key: a, value: false, action: update}]"],
        decode(),
    );
    assert!(other.original().is_none());
    let sent = otlp::encode(&other).unwrap();
    assert_eq!(sent[..sent.len() - 1], request[..request.len() - 1]);
    assert_eq!(sent.last(), Some(&0));
}

#[test]
fn invalid_config_is_rejected_with_advice() {
    let action = "actions=[{key: a, action: delete}]";
    for (wrong, expected) in [
        ("include={services: [a]}", "use strict or regexp"),
        ("include={match_type: strict}", "nothing to match"),
        (
            "include={match_type: strict, services: []}",
            "nothing to match",
        ),
        (
            "exclude={match_type: strict, span_kinds: [server]}",
            "unknown span kind",
        ),
        (
            "exclude={match_type: regexp, services: ['(']}",
            "unclosed group",
        ),
        (
            "exclude={match_type: regexp, attributes: [{key: a, value: 1}]}",
            "put it in quotes",
        ),
        ("include={match_type: strict, span_name: [x]}", "span_name"),
        ("actions=[]", "missing required field"),
    ] {
        let error = parse(&[action, wrong]).unwrap_err();
        assert!(error.contains(expected), "{wrong}: {error}");
    }
    let passed = run(&[action], testing::batch(Signal::Edges, &["a"]));
    assert_eq!(passed.signal(), Signal::Edges);
}
