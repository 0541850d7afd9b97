use serde_json::{Value as Json, json};

use super::{decode, encode};
use crate::{Delivery, Signal};

fn round(signal: Signal, request: &Json) -> Json {
    let batch = decode(
        signal,
        request.to_string().as_bytes(),
        "otlp",
        Delivery::nobody(),
    )
    .unwrap();
    serde_json::from_str(&encode(&batch).unwrap()).unwrap()
}

fn span(span: &Json) -> Json {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

#[test]
fn ids_are_hex_and_numbers_may_be_text() {
    let request = span(&json!({
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "name": "GET", "kind": 2,
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1544712661000000000u64,
        "attributes": [
            {"key": "as text", "value": {"intValue": "-7"}},
            {"key": "as number", "value": {"intValue": 7}},
            {"key": "empty", "value": {}},
            {"key": "bytes", "value": {"bytesValue": "AAEC"}}
        ]
    }));
    let out = round(Signal::Traces, &request);
    let span = &out["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], "5b8efff798038103d269b633813fc60c");
    assert_eq!(span["spanId"], "eee19b7ec3c1b174");
    assert_eq!(span["endTimeUnixNano"], "1544712661000000000");
    assert_eq!(span["attributes"][0]["value"]["intValue"], "-7");
    assert_eq!(span["attributes"][1]["value"]["intValue"], "7");
    assert_eq!(
        span["attributes"][3]["value"]["bytesValue"], "AAEC",
        "{span}"
    );
}

#[test]
fn keys_may_be_snake_case_and_unknown_ones_are_skipped() {
    let request = json!({"resource_spans": [{"new_field": 1, "scope_spans": [{"spans": [
        {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "name": "a", "status": null,
         "start_time_unix_nano": 5, "dropped_attributes_count": 2, "parent_span_id": ""}
    ]}]}]});
    let out = round(Signal::Traces, &request);
    let span = &out["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["startTimeUnixNano"], "5");
    assert_eq!(span["droppedAttributesCount"], 2);
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    let refused = |json: &str| {
        let error = decode(Signal::Logs, json.as_bytes(), "otlp", Delivery::nobody()).unwrap_err();
        error.to_string()
    };
    assert!(refused("[]").contains("no object"));
    assert!(
        refused("{\n  \"resourceLogs\": [}").contains("at byte 2"),
        "{}",
        refused("{\n  \"resourceLogs\": [}")
    );
    let told = refused(r#"{"resourceLogs": [{"scopeLogs": 3}]}"#);
    assert!(
        told.starts_with("resourceLogs[0].scopeLogs: invalid type") && !told.contains("at byte"),
        "{told}"
    );
    assert!(
        refused(
            &span(&json!({"traceId": "5b8e"}))
                .to_string()
                .replace("Spans", "Logs")
                .replace("spans", "logRecords")
        )
        .contains("trace id")
    );
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!(
        "{}{}",
        r#"{"a":"#.repeat(1000),
        "1".to_owned() + &"}".repeat(1000)
    );
    assert!(decode(Signal::Traces, deep.as_bytes(), "otlp", Delivery::nobody()).is_err());
}

#[test]
fn what_is_absent_is_left_out() {
    let points = json!([{"count": "1", "scale": 3, "zeroCount": "1"}]);
    let histogram = json!({"dataPoints": points, "aggregationTemporality": 2});
    let metrics = json!([{"name": "size", "exponentialHistogram": histogram}]);
    let request = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]});
    let out = round(Signal::Metrics, &request);
    assert!(!out.to_string().contains("null"), "{out}");
    let histogram = &out["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
    assert_eq!(
        histogram["exponentialHistogram"]["dataPoints"][0]["zeroCount"],
        "1"
    );
}

#[test]
fn nulls_of_keys_go_and_those_in_texts_stay() {
    for (json, expected) in [
        (r#"{"a":null}"#, "{}"),
        (r#"{"a":null,"b":1}"#, r#"{"b":1}"#),
        (r#"{"b":1,"a":null}"#, r#"{"b":1}"#),
        (
            r#"{"b":1,"a":null,"c":null,"d":[{"e":null}]}"#,
            r#"{"b":1,"d":[{}]}"#,
        ),
        (r#"{"t":"\":null,","a":null}"#, r#"{"t":"\":null,"}"#),
        (
            r#"{"t":"\\\":null","u":"null\\","a":null}"#,
            r#"{"t":"\\\":null","u":"null\\"}"#,
        ),
    ] {
        assert_eq!(super::without_nulls(json), expected);
    }
}
