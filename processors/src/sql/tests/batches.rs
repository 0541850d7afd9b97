//! Tests of queries without a window, which run on each batch.

use super::*;

#[test]
fn the_acknowledgement_of_a_filtered_batch_waits_for_the_remaining_rows() {
    let mut sql =
        built("{query: \"SELECT * FROM traces WHERE name <> 'drop'\", into: traces, keep: false}");
    let (batch, mut receipt) = spans(&[(1, "keep", json!({})), (1, "drop", json!({}))]);
    let output = sql.process(batch, at(9)).unwrap();
    assert_eq!(output.len(), 1);
    assert_eq!(names(&output[0]), ["keep"]);
    assert!(
        receipt.try_outcome().is_none(),
        "the sender waits for the remaining rows"
    );
    drop(output);
    assert_eq!(receipt.try_outcome(), Some(Outcome::Delivered));
}

#[test]
fn a_batch_whose_rows_are_all_dropped_is_acknowledged() {
    let mut sql = built("{query: 'SELECT * FROM traces WHERE false', into: traces, keep: false}");
    let (batch, mut receipt) = spans(&[(1, "a", json!({}))]);
    assert!(sql.process(batch, at(9)).unwrap().is_empty());
    assert_eq!(receipt.try_outcome(), Some(Outcome::Delivered));
}

#[test]
fn rows_that_the_query_reads_are_forwarded_with_those_it_yields() {
    let mut sql = built(
        "{query: \"SELECT 'spans' AS name, 'gauge' AS type, count(*) AS value_int, now() AS time FROM traces\", \
         into: metrics}",
    );
    let (batch, _receipt) = spans(&[(1, "a", json!({})), (2, "b", json!({}))]);
    let output = sql.process(batch, at(9)).unwrap();
    assert_eq!(names(batches_of(&output, Signal::Traces)[0]), ["a", "b"]);
    let metric = batches_of(&output, Signal::Metrics)[0];
    assert_eq!(metric.numbers::<Int64Type>(metrics::VALUE_INT).value(0), 2);
    assert_eq!(
        metric.words(metrics::TYPE).into_iter().next(),
        Some(Some("gauge"))
    );
    assert_eq!(
        metric.words(opening::SOURCE).into_iter().next(),
        Some(Some("sql/x"))
    );
    let wire = metric.numbers::<UInt64Type>(metrics::TIME_UNIX_NANO);
    assert_eq!(
        wire.value(0),
        9 * SECOND,
        "the OTLP time column is set from `time`"
    );
    assert!(pipeline::otlp::encode(metric).is_ok());
}

#[test]
fn signals_that_the_query_does_not_read_pass_unchanged() {
    let mut sql = built("{query: 'SELECT * FROM traces WHERE false', into: traces, keep: false}");
    let output = sql.process(drifts(1), at(9)).unwrap();
    assert_eq!(output[0].signal(), Signal::Drift);
}

#[test]
fn a_batch_without_dropped_rows_keeps_the_original_request() {
    let request = pipeline::otlp::encode(&spans(&[(1, "a", json!({"k": "v"}))]).0).unwrap();
    let batch =
        pipeline::otlp::decode_traces(request.clone(), "otlp", Delivery::untracked()).unwrap();
    let mut sql =
        built("{query: \"SELECT * FROM traces WHERE name = 'a'\", into: traces, keep: false}");
    let output = sql.process(batch, at(9)).unwrap();
    let original = output[0].original().expect("the batch is unchanged");
    assert_eq!(original.to_bytes(), request);
}

#[test]
fn the_service_columns_are_updated_with_the_resource() {
    let mut sql = built(
        "{query: \"SELECT * REPLACE (set(resource_attributes, 'service.name', 'renamed') AS resource_attributes) \
         FROM traces\", into: traces, keep: false}",
    );
    let (batch, _receipt) = spans(&[(1, "a", json!({}))]);
    let output = sql.process(batch, at(9)).unwrap();
    let service = output[0].text(otlp_context::SERVICE_NAME);
    assert_eq!(service.value(0), "renamed");
}

#[test]
fn service_name_alone_sets_the_resource() {
    let mut sql = built(
        "{query: \"SELECT name, 'gauge' AS type, 1.5 AS value_double, service_name, \
         attributes('route', attributes['http.route'], 'n', 1) AS attributes FROM traces\", \
         into: metrics, keep: false}",
    );
    let (batch, _receipt) = spans(&[(1, "a", json!({"http.route": "/cart"}))]);
    let output = sql.process(batch, at(9)).unwrap();
    let read = |column| Json::Object(map_to_json(Map::new(output[0].bytes(column).value(0))));
    assert_eq!(
        read(otlp_context::RESOURCE_ATTRIBUTES),
        json!({"service.name": "shop"})
    );
    assert_eq!(read(metrics::ATTRIBUTES), json!({"route": "/cart", "n": 1}));
    assert_eq!(
        output[0]
            .numbers::<Float64Type>(metrics::VALUE_DOUBLE)
            .value(0),
        1.5
    );
}

#[test]
fn a_value_that_does_not_fit_its_column_is_null_or_empty() {
    let mut sql = built(
        "{query: \"SELECT name, 'sum' AS type, attributes['n']::BIGINT AS value_int, \
         attributes['n']::BIGINT AS flags FROM traces\", into: metrics, keep: false}",
    );
    let (batch, _receipt) = spans(&[(1, "a", json!({"n": "text"})), (1, "b", json!({"n": -1}))]);
    let output = sql.process(batch, at(9)).unwrap();
    assert!(
        output[0]
            .numbers::<Int64Type>(metrics::VALUE_INT)
            .is_null(0)
    );
    let flags = output[0]
        .column(metrics::FLAGS)
        .as_primitive::<arrow_array::types::UInt32Type>();
    assert_eq!(
        flags.values(),
        &[0, 0],
        "the column is not nullable, and -1 is not a uint32"
    );
}

#[test]
fn a_failing_query_does_not_stop_forwarded_batches() {
    let query =
        "SELECT name, 'gauge' AS type, attributes['n']::BIGINT / -1 AS value_int FROM traces";
    let least = || spans(&[(1, "a", json!({"n": i64::MIN}))]);
    let mut sql = built(&format!("{{query: \"{query}\", into: metrics}}"));
    let output = sql.process(least().0, at(9)).unwrap();
    assert_eq!(output.len(), 1);
    assert_eq!(names(&output[0]), ["a"]);
    let mut alone = built(&format!(
        "{{query: \"{query}\", into: metrics, keep: false}}"
    ));
    assert!(
        alone.process(least().0, at(9)).is_err(),
        "the batch is rejected"
    );
}

#[test]
fn a_query_that_yields_too_many_rows_fails() {
    let mut sql =
        built("{query: 'SELECT a.* FROM traces a, traces b, traces c', into: traces, keep: false}");
    let (batch, _receipt) = spans(&vec![(1, "a", json!({})); 120]);
    let error = sql.process(batch, at(9)).unwrap_err();
    let text = pipeline::component::ErrorChain(&error).to_string();
    assert!(text.contains("yields more than 1000120 rows"), "{text}");
}

#[test]
fn a_body_of_any_type_is_a_value() {
    let mut sql = built(
        "{query: \"SELECT time, attributes['n'] AS body, 'slow' AS event_name FROM traces\", into: logs, keep: false}",
    );
    let (batch, _receipt) = spans(&[(1, "a", json!({"n": 5}))]);
    let output = sql.process(batch, at(9)).unwrap();
    let body = output[0].bytes("body").value(0);
    assert_eq!(
        pipeline::attributes::value(body),
        pipeline::attributes::Value::Text("5")
    );
}

#[test]
fn lists_of_structs_are_converted_field_by_field() {
    let mut sql = built(
        "{query: \"SELECT uid, 'changed' AS kind, 'open' AS status, 'low' AS severity, 'event' AS detected_by, \
         make_array(named_struct('path', attributes['p'], 'before', attributes['b'], 'after', name, \
         'sensitive', false)) AS paths FROM traces\", into: drift, keep: false}",
    );
    let (batch, _receipt) = spans(&[
        (1, "a", json!({"p": "replicas", "b": "3"})),
        (1, "b", json!({})),
    ]);
    let output = sql.process(batch, at(9)).unwrap();
    let paths = output[0].column(drift::PATHS).as_list::<i32>();
    let text = |row: usize, field: &str| {
        let item = paths.value(row);
        let texts = item.as_struct().column_by_name(field).unwrap().clone();
        let texts = texts.as_string_view();
        texts.is_valid(0).then(|| texts.value(0).to_owned())
    };
    assert_eq!(text(0, "path").as_deref(), Some("replicas"));
    assert_eq!(text(0, "before").as_deref(), Some("3"));
    assert_eq!(text(1, "path").as_deref(), Some(""), "`path` is never null");
    assert_eq!(text(1, "before"), None);
    assert_eq!(text(1, "after").as_deref(), Some("b"));
}
