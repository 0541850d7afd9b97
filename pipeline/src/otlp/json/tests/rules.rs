//! Tests of the rules of OTLP/JSON for keys, values and nesting.

use serde_json::json;

use super::{
    decode, encode, first_metric, first_span, read, rejection, request_with_metric,
    request_with_span, round_trip, round_trip_value, value_rejection,
};
use crate::{Delivery, Signal};

#[test]
fn ids_are_hex_in_any_case() {
    let request = request_with_span(&json!({
        "traceId": "5B8EFFF798038103d269b633813fc60c", "spanId": "EEE19b7ec3c1b174", "parentSpanId": "",
    }));
    let out = round_trip(Signal::Traces, &request);
    assert_eq!(
        first_span(&out)["traceId"],
        "5b8efff798038103d269b633813fc60c"
    );
    assert_eq!(first_span(&out)["spanId"], "eee19b7ec3c1b174");
    assert_eq!(first_span(&out)["parentSpanId"], "");
    for id in [
        "5b8e",
        "5b8efff798038103d269b633813fc60",
        "5b8efff798038103d269b633813fc60z",
        "W47/95gDgQPSabYzgT/GDA==",
    ] {
        let rejection = rejection(Signal::Traces, &request_with_span(&json!({"traceId": id})));
        let path = "resourceSpans[0].scopeSpans[0].spans[0].traceId: expected 32 hex digits, found";
        assert!(rejection.starts_with(path), "{rejection}");
    }
}

#[test]
fn keys_may_be_snake_case_and_unknown_keys_are_skipped() {
    let request = json!({"resource_spans": [{"new_field": {"a": [1, {"b": null}, "\n"]}, "scope_spans": [{"spans": [
        {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "name": "a", "status": null,
         "start_time_unix_nano": 5, "dropped_attributes_count": 2, "parent_span_id": ""}
    ]}]}]});
    let out = round_trip(Signal::Traces, &request);
    assert_eq!(first_span(&out)["startTimeUnixNano"], "5");
    assert_eq!(first_span(&out)["droppedAttributesCount"], 2);
}

#[test]
fn keys_may_have_escapes() {
    let request = r#"{"resource\u0053pans": [{"\u0073copeSpans": [{"spans": [{"name": "a\u00e4\ud83d\ude00"}]}]}]}"#;
    let batch = read(Signal::Traces, request).unwrap();
    assert_eq!(batch.num_rows(), 1);
    assert!(encode(&batch).unwrap().contains("\"name\":\"aä😀\""));
}

#[test]
fn integers_are_numbers_or_text_in_any_notation_and_are_written_as_text() {
    for int in [
        json!(5),
        json!("5"),
        json!(5.0),
        json!("5.0"),
        json!("5e0"),
        json!("50E-1"),
    ] {
        assert_eq!(
            round_trip_value(&json!({"intValue": int})),
            json!({"intValue": "5"}),
            "{int}"
        );
    }
    for (int, written) in [
        (json!(i64::MIN), "-9223372036854775808"),
        (json!("9223372036854775807"), "9223372036854775807"),
        (json!("9007199254740993.0"), "9007199254740993"),
        (json!("-0"), "0"),
    ] {
        assert_eq!(
            round_trip_value(&json!({"intValue": int})),
            json!({"intValue": written})
        );
    }
    for int in [
        json!(1.5),
        json!("1.5"),
        json!("x"),
        json!(""),
        json!(" 5"),
        json!("05"),
        json!("+5"),
        json!("NaN"),
        json!(u64::MAX),
        json!(true),
        json!([]),
        json!({}),
    ] {
        let rejection = value_rejection(&json!({"intValue": int}));
        assert!(
            rejection.starts_with(".intValue: expected a 64-bit integer, found "),
            "{int}: {rejection}"
        );
    }
}

#[test]
fn values_of_32_bit_fields_are_checked_for_their_range() {
    let count = |count| request_with_span(&json!({"droppedAttributesCount": count}));
    for ok in [json!(4_294_967_295u32), json!("4294967295"), json!(3e9)] {
        assert_eq!(
            read(Signal::Traces, &count(ok).to_string())
                .unwrap()
                .num_rows(),
            1
        );
    }
    for wrong in [json!(4_294_967_296u64), json!(-1), json!(0.5)] {
        let rejection = rejection(Signal::Traces, &count(wrong));
        assert!(
            rejection
                .contains("spans[0].droppedAttributesCount: expected an unsigned 32-bit integer"),
            "{rejection}"
        );
    }
    let point = json!({"scale": -2_147_483_649i64});
    let request = request_with_metric(&json!({"exponentialHistogram": {"dataPoints": [point]}}));
    assert!(
        rejection(Signal::Metrics, &request)
            .contains("exponentialHistogram.dataPoints[0].scale: expected")
    );
}

#[test]
fn doubles_are_numbers_text_or_one_of_three_words() {
    for (double, written) in [
        (json!(1.5), json!(1.5)),
        (json!("1.5"), json!(1.5)),
        (json!(2), json!(2.0)),
        (json!("-1e-3"), json!(-0.001)),
        (json!(0.1), json!(0.1)),
        (
            json!("2.2250738585072014e-308"),
            json!(2.225_073_858_507_201_4e-308),
        ),
        (json!("NaN"), json!("NaN")),
        (json!("Infinity"), json!("Infinity")),
        (json!("-Infinity"), json!("-Infinity")),
    ] {
        assert_eq!(
            round_trip_value(&json!({"doubleValue": double})),
            json!({"doubleValue": written})
        );
    }
    for double in [
        json!("nan"),
        json!("inf"),
        json!("+Infinity"),
        json!("1e400"),
        json!("0x1"),
        json!(" 1"),
        json!(false),
    ] {
        let rejection = value_rejection(&json!({"doubleValue": double}));
        assert!(
            rejection.starts_with(".doubleValue: expected a 64-bit number"),
            "{double}: {rejection}"
        );
    }
}

#[test]
fn enums_are_integers_or_names_and_are_written_as_integers() {
    for kind in [json!(3), json!("3"), json!(3.0), json!("SPAN_KIND_CLIENT")] {
        let out = round_trip(Signal::Traces, &request_with_span(&json!({"kind": kind})));
        assert_eq!(first_span(&out)["kind"], 3);
    }
    // Unknown values are accepted, since a newer version of OTLP may add values.
    let out = round_trip(
        Signal::Traces,
        &request_with_span(&json!({"kind": -7, "status": {"code": "STATUS_CODE_ERROR"}})),
    );
    assert_eq!(first_span(&out)["kind"], -7);
    assert_eq!(first_span(&out)["status"]["code"], 2);
    for (kind, found) in [
        (json!("CLIENT"), "\"CLIENT\""),
        (json!(1.5), "1.5"),
        (json!(3_000_000_000u32), "3000000000"),
    ] {
        let rejection = rejection(Signal::Traces, &request_with_span(&json!({"kind": kind})));
        let expected = format!(
            "resourceSpans[0].scopeSpans[0].spans[0].kind: \
             expected a 32-bit integer or a name such as SPAN_KIND_UNSPECIFIED, found {found}"
        );
        assert_eq!(rejection, expected);
    }
}

#[test]
fn bytes_are_base64_in_both_alphabets_with_or_without_padding() {
    for (text, written) in [
        ("+/8=", "+/8="),
        ("-_8", "+/8="),
        ("", ""),
        ("AAEC", "AAEC"),
        ("AAE", "AAE="),
    ] {
        assert_eq!(
            round_trip_value(&json!({"bytesValue": text})),
            json!({"bytesValue": written})
        );
    }
    for text in ["A", "A===", "A B=", "ä", "AA=A"] {
        let rejection = value_rejection(&json!({"bytesValue": text}));
        assert!(
            rejection.starts_with(".bytesValue: expected base64"),
            "{rejection}"
        );
    }
    assert_eq!(
        value_rejection(&json!({"bytesValue": 7})),
        ".bytesValue: expected text, found a number"
    );
}

#[test]
fn text_and_booleans_are_not_converted() {
    assert_eq!(
        value_rejection(&json!({"stringValue": 7})),
        ".stringValue: expected text, found a number"
    );
    assert_eq!(
        value_rejection(&json!({"boolValue": "true"})),
        ".boolValue: expected true or false, found \"true\""
    );
    assert_eq!(
        value_rejection(&json!({"boolValue": 1})),
        ".boolValue: expected true or false, found 1"
    );
}

#[test]
fn field_that_is_null_is_absent() {
    let point = json!({"asInt": null, "asDouble": 1, "attributes": null, "timeUnixNano": null, "flags": null});
    let gauge = json!({"name": null, "sum": null, "gauge": {"dataPoints": [point]}});
    let request = json!({"resourceMetrics": [{"resource": null, "scopeMetrics": [{"scope": null, "metrics": [gauge]}]}]});
    let out = round_trip(Signal::Metrics, &request);
    assert_eq!(
        first_metric(&out)["gauge"]["dataPoints"][0]["asDouble"],
        1.0
    );
    assert!(out["resourceMetrics"][0].get("resource").is_none(), "{out}");
}

#[test]
fn null_in_a_list_of_values_is_the_empty_value_and_null_in_other_lists_is_rejected() {
    let list = json!({"arrayValue": {"values": [null, {"intValue": "1"}]}});
    assert_eq!(
        round_trip_value(&list),
        json!({"arrayValue": {"values": [{}, {"intValue": "1"}]}})
    );
    let rejection = rejection(
        Signal::Traces,
        &request_with_span(&json!({"events": [{}, null]})),
    );
    assert!(
        rejection.ends_with("spans[0].events[1]: expected an object, found null"),
        "{rejection}"
    );
}

#[test]
fn field_that_occurs_twice_is_rejected() {
    let twice = |fields: &str| {
        let request =
            format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{{fields}}}]}}]}}]}}"#);
        read(Signal::Traces, &request).unwrap_err()
    };
    let path = "resourceSpans[0].scopeSpans[0].spans[0]";
    assert_eq!(
        twice(r#""name": "a", "name": "a""#),
        format!("{path}.name: the field occurs twice")
    );
    assert_eq!(
        twice(r#""name": null, "name": "a""#),
        format!("{path}.name: the field occurs twice")
    );
    assert_eq!(
        twice(r#""traceId": "", "trace_id": """#),
        format!("{path}.traceId: the field occurs twice")
    );
    assert_eq!(
        value_rejection(&json!({"stringValue": "", "intValue": 1})),
        ".intValue: stringValue is set, too, but the message can have only one of them"
    );
}

#[test]
fn empty_members_of_a_oneof_and_empty_messages_are_kept() {
    for value in [
        json!({}),
        json!({"stringValue": ""}),
        json!({"boolValue": false}),
        json!({"intValue": "0"}),
        json!({"doubleValue": 0.0}),
        json!({"bytesValue": ""}),
        json!({"stringValueStrindex": 0}),
    ] {
        assert_eq!(round_trip_value(&value), value);
    }
    assert_eq!(
        round_trip_value(&json!({"arrayValue": {}})),
        json!({"arrayValue": {"values": []}})
    );
    assert_eq!(
        round_trip_value(&json!({"kvlistValue": {"values": null}})),
        json!({"kvlistValue": {"values": []}})
    );
    let out = round_trip(Signal::Traces, &request_with_span(&json!({"status": {}})));
    assert_eq!(
        first_span(&out)["status"],
        json!({"message": "", "code": 0})
    );
}

#[test]
fn string_indexes_and_entity_references_are_kept() {
    let attribute = json!({"key": "", "value": {"stringValueStrindex": 4}, "keyStrindex": 3});
    let reference =
        json!({"schemaUrl": "u", "type": "host", "idKeys": ["host.id", ""], "descriptionKeys": []});
    let resource =
        json!({"attributes": [attribute], "droppedAttributesCount": 0, "entityRefs": [reference]});
    let request =
        json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [{}]}]}]});
    assert_eq!(
        round_trip(Signal::Traces, &request)["resourceSpans"][0]["resource"],
        resource
    );
}

#[test]
fn input_that_is_not_a_request_is_rejected_with_its_position() {
    let rejection = |json: &str| read(Signal::Logs, json).unwrap_err();
    assert_eq!(rejection("[]"), "expected an object, found a list");
    assert_eq!(rejection("null"), "expected an object, found null");
    assert!(rejection("").ends_with(" at byte 0"), "{}", rejection(""));
    assert_eq!(
        rejection("{\n  \"resourceLogs\": [}"),
        "resourceLogs[0]: expected an object at byte 21"
    );
    assert_eq!(
        rejection(r#"{"resourceLogs": [{"scopeLogs": 3}]}"#),
        "resourceLogs[0].scopeLogs: expected a list, found a number"
    );
    assert_eq!(rejection("{} x"), "more text after the request at byte 3");
    // A form feed is white space in ASCII, but not in JSON.
    assert_eq!(
        rejection("{}\u{c}"),
        "more text after the request at byte 2"
    );
    assert_eq!(
        rejection(r#"{"a": 1,}"#),
        "expected another item after the comma at byte 8"
    );
    let not_utf8 = decode_bytes(b"{\"resourceLogs\": \"\xff\"}");
    assert_eq!(not_utf8, "text that is not UTF-8 at byte 18");
}

fn decode_bytes(json: &[u8]) -> String {
    decode(Signal::Logs, json, "otlp", Delivery::untracked())
        .unwrap_err()
        .to_string()
}

#[test]
fn nesting_is_limited_as_in_protobuf() {
    let nested = |depth| {
        let mut value = json!({"stringValue": "in"});
        for _ in 0..depth {
            value = json!({"arrayValue": {"values": [value]}});
        }
        request_with_span(&json!({"attributes": [{"key": "deep", "value": value}]}))
    };
    // The outermost value is nested in five messages, and each list adds two.
    let deepest = encode(&read(Signal::Traces, &nested(47).to_string()).unwrap()).unwrap();
    let again = read(Signal::Traces, &deepest).unwrap();
    assert_eq!(encode(&again).unwrap(), deepest);
    let too_deep = rejection(Signal::Traces, &nested(48));
    assert!(
        too_deep.ends_with(": messages nested deeper than 100"),
        "{too_deep}"
    );

    let unknown = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(read(Signal::Traces, &unknown(129)).is_ok());
    assert!(
        read(Signal::Traces, &unknown(130))
            .unwrap_err()
            .contains("nested deeper than 128")
    );
    assert!(read(Signal::Traces, &unknown(100_000)).is_err());
    assert!(read(Signal::Traces, &"[".repeat(100_000)).is_err());
}
