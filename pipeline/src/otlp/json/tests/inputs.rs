//! JSON that users have sent and that other tools failed to decode.

use bytes::Bytes;
use serde_json::json;

use super::{first_metric, first_span, read, request_with_metric, request_with_span, round_trip};
use crate::{Delivery, Signal, otlp};

#[test]
fn point_with_an_empty_array_as_an_attribute_is_kept() {
    let first = json!({"asInt": "1", "attributes": [{"key": "tags", "value": {"arrayValue": {}}}]});
    let sum = json!({"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [first, {"asInt": "2"}]});
    let request = request_with_metric(&json!({"name": "lost", "sum": sum}));
    assert_eq!(
        read(Signal::Metrics, &request.to_string())
            .unwrap()
            .num_rows(),
        2
    );
    let out = round_trip(Signal::Metrics, &request);
    let points = &first_metric(&out)["sum"]["dataPoints"];
    assert_eq!(points[0]["asInt"], "1");
    assert_eq!(
        points[0]["attributes"][0]["value"],
        json!({"arrayValue": {"values": []}})
    );
    assert_eq!(points[1]["asInt"], "2");
}

#[test]
fn span_with_an_empty_array_as_an_attribute_is_accepted() {
    let attribute = json!({"key": "app.filtered_products.list", "value": {"arrayValue": {}}});
    let out = round_trip(
        Signal::Traces,
        &request_with_span(&json!({"name": "n", "attributes": [attribute]})),
    );
    assert_eq!(
        first_span(&out)["attributes"][0]["value"],
        json!({"arrayValue": {"values": []}})
    );
}

#[test]
fn double_as_text_is_accepted() {
    let points =
        json!([{"asDouble": "1.5", "timeUnixNano": "1"}, {"asDouble": 2, "timeUnixNano": "2"}]);
    let out = round_trip(
        Signal::Metrics,
        &request_with_metric(&json!({"name": "g", "gauge": {"dataPoints": points}})),
    );
    let points = &first_metric(&out)["gauge"]["dataPoints"];
    assert_eq!(
        (&points[0]["asDouble"], &points[1]["asDouble"]),
        (&json!(1.5), &json!(2.0))
    );
}

#[test]
fn infinite_bound_of_a_histogram_is_accepted() {
    let point = json!({"count": 3, "sum": 1.5, "bucketCounts": ["1", 1, 1], "explicitBounds": [1, "Infinity"]});
    let histogram = json!({"aggregationTemporality": 2, "dataPoints": [point]});
    let out = round_trip(
        Signal::Metrics,
        &request_with_metric(&json!({"name": "h", "histogram": histogram})),
    );
    let point = &first_metric(&out)["histogram"]["dataPoints"][0];
    assert_eq!(point["explicitBounds"], json!([1.0, "Infinity"]));
    assert_eq!(point["bucketCounts"], json!(["1", "1", "1"]));
    assert!(point.get("min").is_none(), "{point}");
}

#[test]
fn integer_with_a_fraction_of_zero_is_accepted() {
    let attributes =
        json!([{"key": "a", "value": {"intValue": 5.0}}, {"key": "b", "value": {"intValue": "7"}}]);
    let out = round_trip(
        Signal::Traces,
        &request_with_span(&json!({"attributes": attributes})),
    );
    let attributes = &first_span(&out)["attributes"];
    assert_eq!(attributes[0]["value"]["intValue"], "5");
    assert_eq!(attributes[1]["value"]["intValue"], "7");
}

#[test]
fn null_in_an_array_becomes_an_empty_value() {
    let values = json!([{"stringValue": "a"}, null, {"stringValue": "b"}]);
    let attribute = json!({"key": "a", "value": {"arrayValue": {"values": values}}});
    let out = round_trip(
        Signal::Traces,
        &request_with_span(&json!({"attributes": [attribute]})),
    );
    let values = &first_span(&out)["attributes"][0]["value"]["arrayValue"]["values"];
    assert_eq!(
        values,
        &json!([{"stringValue": "a"}, {}, {"stringValue": "b"}])
    );
}

#[test]
fn nan_and_infinity_survive_a_round_trip() {
    let points = json!([{"asDouble": "NaN"}, {"asDouble": "Infinity"}, {"asDouble": "-Infinity"}]);
    let request = request_with_metric(&json!({"name": "temp", "gauge": {"dataPoints": points}}));
    let batch = read(Signal::Metrics, &request.to_string()).unwrap();
    let protobuf = batch.original().unwrap().to_bytes();
    let from_protobuf = otlp::decode(
        Signal::Metrics,
        Bytes::from(protobuf.to_vec()),
        "otlp",
        Delivery::untracked(),
    );
    let written = super::encode(&from_protobuf.unwrap()).unwrap();
    for special in [
        r#""asDouble":"NaN""#,
        r#""asDouble":"Infinity""#,
        r#""asDouble":"-Infinity""#,
    ] {
        assert!(written.contains(special), "{written}");
    }
    let again = read(Signal::Metrics, &written).unwrap();
    assert_eq!(super::encode(&again).unwrap(), written);
}
