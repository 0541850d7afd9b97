//! Tests of the changed resources and of the columns that repeat their attributes.

use std::sync::Arc;

use arrow_array::Array;
use bytes::Bytes;
use pipeline::attributes::{Map, map_from_json, map_to_json};
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::config::{LoadContext, load};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::otlp_context::{RESOURCE_ATTRIBUTES, SERVICE_NAME, SERVICE_NAMESPACE};
use pipeline::{Batch, Delivery, Signal, SignalSet, otlp, testing};
use serde_json::{Value as Json, json};

use super::{Config, Resource};

fn parse(attributes: &str) -> Result<Config, String> {
    let settings = [format!("attributes={attributes}")];
    let loaded = load(&[], &settings, LoadContext::default());
    loaded.root.decode().map_err(|error| error.to_string())
}

fn resource(attributes: &str) -> Resource {
    let host = Host::new(
        "resource".parse().unwrap(),
        SignalSet::TELEMETRY,
        Arc::default(),
    );
    Resource::build(parse(attributes).unwrap(), &host).unwrap()
}

/// A row for each resource; null is a row without a resource.
fn batch(signal: Signal, resources: &[Json]) -> Batch {
    let mut rows = Rows::new(signal);
    for resource in resources {
        let attributes = resource.as_object();
        let run = attributes.map(map_from_json).unwrap_or_default();
        let text = |key| attributes.and_then(|attributes| attributes.get(key)?.as_str());
        let bytes = attributes.map_or(Cell::Null, |_| Cell::Bytes(&run));
        let cells = [
            (SERVICE_NAME, text("service.name").into()),
            (SERVICE_NAMESPACE, text("service.namespace").into()),
            (RESOURCE_ATTRIBUTES, bytes),
        ];
        rows.push(None, Some("uid"), "otlp", &cells);
    }
    rows.finish(Delivery::untracked())
}

fn run(attributes: &str, batch: Batch) -> Batch {
    let mut output = resource(attributes).process(batch, UnixNanos(0)).unwrap();
    assert_eq!(output.len(), 1);
    output.remove(0)
}

/// The resource, service name and service namespace of each row.
fn read(batch: &Batch) -> Vec<(Json, Option<&str>, Option<&str>)> {
    let resources = batch.bytes(RESOURCE_ATTRIBUTES);
    let names = batch.text(SERVICE_NAME).iter();
    let both = names.zip(batch.text(SERVICE_NAMESPACE));
    both.enumerate()
        .map(|(row, (name, namespace))| {
            let resource = resources
                .is_valid(row)
                .then(|| map_to_json(Map::new(resources.value(row))));
            (resource.map_or(Json::Null, Json::Object), name, namespace)
        })
        .collect()
}

#[test]
fn resources_of_all_telemetry_are_changed_and_uids_stay() {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let before = batch(signal, &[json!({"k8s-cluster": "c"}), json!({"x": 1})]);
        let after = run(
            "[{key: zone, value: zone-1, action: upsert},
              {key: k8s.cluster.name, from_attribute: k8s-cluster, action: insert},
              {key: x, action: delete}]",
            before,
        );
        let both = json!({"k8s-cluster": "c", "zone": "zone-1", "k8s.cluster.name": "c"});
        assert_eq!(
            read(&after),
            [(both, None, None), (json!({"zone": "zone-1"}), None, None)]
        );
        assert_eq!(testing::uids(&after), ["uid", "uid"]);
    }
}

#[test]
fn service_columns_are_updated_with_the_resource() {
    let before = batch(
        Signal::Traces,
        &[
            json!({"service.name": "shop"}),
            json!({"service.name": "shop"}),
            json!({"service.name": "cart", "service.namespace": "eu"}),
            Json::Null,
        ],
    );
    let renamed = run(
        "[{key: service.name, value: a-name-of-some-length, action: update},
          {key: service.namespace, action: delete}]",
        before.clone(),
    );
    let long = json!({"service.name": "a-name-of-some-length"});
    let name = Some("a-name-of-some-length");
    assert_eq!(
        read(&renamed),
        [
            (long.clone(), name, None),
            (long.clone(), name, None),
            (long, name, None),
            (Json::Null, None, None)
        ]
    );
    let number = run("[{key: service.name, value: 7, action: update}]", before);
    assert_eq!(read(&number)[0], (json!({"service.name": 7}), None, None));
    assert_eq!(read(&number)[2].2, Some("eu"));
}

#[test]
fn row_without_a_resource_gets_one_when_an_action_sets_a_key() {
    let before = || batch(Signal::Logs, &[Json::Null, json!({})]);
    let named = run(
        "[{key: service.name, value: shop, action: insert}]",
        before(),
    );
    let shop = (json!({"service.name": "shop"}), Some("shop"), None);
    assert_eq!(read(&named), [shop.clone(), shop]);
    let unchanged = run("[{key: service.name, action: delete}]", before());
    assert_eq!(
        read(&unchanged),
        [(Json::Null, None, None), (json!({}), None, None)]
    );
}

/// One span of the service `shop`.
const REQUEST: &[u8] =
    b"\x0a\x1e\x0a\x18\x0a\x16\x0a\x0cservice.name\x12\x06\x0a\x04shop\x12\x02\x12\x00";

#[test]
fn unchanged_batch_keeps_the_bytes_of_its_request() {
    let decode = || {
        let request = Bytes::from_static(REQUEST);
        otlp::decode_traces(request, "otlp", Delivery::untracked()).unwrap()
    };
    assert_eq!(read(&decode())[0].1, Some("shop"));
    let same = run(
        "[{key: service.name, value: shop, action: upsert}]",
        decode(),
    );
    assert_eq!(same.original().unwrap().to_bytes(), REQUEST);
    let other = run(
        "[{key: service.name, value: cart, action: upsert}]",
        decode(),
    );
    assert!(other.original().is_none());
    let sent = otlp::encode(&other).unwrap();
    let expected = String::from_utf8_lossy(REQUEST).replace("shop", "cart");
    assert_eq!(sent, expected.into_bytes());
}

#[test]
fn other_signals_pass_and_empty_config_is_rejected() {
    let nodes = testing::batch(Signal::Nodes, &["a"]);
    let passed = run("[{key: a, action: delete}]", nodes);
    assert_eq!(passed.signal(), Signal::Nodes);
    let error = parse("[]").unwrap_err();
    assert!(error.contains("missing required field"), "{error}");
}
