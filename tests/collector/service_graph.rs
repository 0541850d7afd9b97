//! Sends the same spans to the Collector and to airdig, which run the same configuration. Another Collector writes
//! the metrics of both to files, which are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::spans::{ScriptSpan, client, consumer, internal, producer, request, server};
use crate::support::{Airdig, Collector, eventually, free_address, post};

const TOTAL: &str = "traces_service_graph_request_total";

#[test]
fn a_configuration_of_the_collector_gives_the_same_metrics() {
    let [of_airdig, of_collector] = run("service_graph.yaml", &script(), 27);
    let connections: BTreeSet<&str> = of_collector
        .points
        .keys()
        .map(|point| point.attributes["connection_type"].as_str().unwrap())
        .collect();
    assert_eq!(
        connections,
        ["", "database", "messaging_system", "virtual_node"].into()
    );
    assert!(of_collector.points.len() > 30, "{of_collector:#?}");
    for (point, value) in &of_collector.points {
        let Some(ours) = of_airdig.points.get(point) else {
            panic!("airdig does not emit {point:#?}: {of_airdig:#?}");
        };
        assert_eq!(ours, value, "{point:#?}");
    }
    assert_eq!(of_airdig.points, of_collector.points);
    assert_eq!(of_airdig.metrics, of_collector.metrics);
}

/// Requests with every kind of edge that a service graph has; 27 calls.
fn script() -> Vec<Json> {
    // A client span and its server span, with their durations in microseconds.
    let call = |trace, took: [u64; 2]| {
        [
            client(trace, 2).took(took[0]),
            server(trace, 3).under(2).took(took[1]),
        ]
    };
    let mut web: Vec<ScriptSpan> = Vec::new();
    let mut cart: Vec<ScriptSpan> = Vec::new();
    // Durations below, on and above histogram bounds, and above the last one.
    let durations = [
        [2000, 1999],
        [2001, 2000],
        [10_000, 8000],
        [1_000_000, 400_000],
        [20_000_000, 15_000_001],
        [1, 0],
    ];
    for (trace, took) in (100..).zip(durations) {
        let [ours, theirs] = call(trace, took);
        web.push(ours);
        cart.push(theirs);
    }
    // Either side may fail, or both.
    for (trace, failing) in (200..).zip([[true, false], [false, true], [true, true]]) {
        let fail = |span: ScriptSpan, fails: bool| if fails { span.failed() } else { span };
        let [ours, theirs] = call(trace, [5000, 4000]);
        web.push(fail(ours, failing[0]));
        cart.push(fail(theirs, failing[1]));
    }
    // Calls by a user (root server spans), and work inside a service.
    web.push(server(300, 1).took(40_000));
    web.push(server(301, 1).took(41_000).failed());
    web.push(internal(300, 2).under(1));
    // Dimensions of every type, of one side and of the other.
    web.push(
        client(400, 2)
            .with("http.request.method", json!("GET"))
            .with("app.int", json!(-7))
            .with("app.bool", json!(true))
            .with("app.double", json!(2.5))
            .with("app.list", json!(["a", 1, true])),
    );
    cart.push(
        server(400, 3)
            .under(2)
            .with("http.request.method", json!(""))
            .with("app.double", json!(1e21))
            .with("app.list", json!({"a": null, "b": ["c"]}))
            .with("deployment.environment.name", json!("of the span")),
    );
    for (trace, double) in (401..).zip([100.0, -2.5e-7, 123_456_789_012_345_680_000.0]) {
        web.push(client(trace, 2).with("app.double", json!(double)));
        cart.push(server(trace, 3).under(2).with("app.int", Json::Null));
    }
    // Databases; one of them is instrumented.
    let statement = |trace, name: &str| client(trace, 4).with("db.name", json!(name)).took(700);
    cart.extend([
        statement(500, "carts"),
        statement(501, "carts").failed(),
        statement(502, "orders").with("peer.service", json!("postgres")),
    ]);
    // The span of the database arrives after the call was counted; if it arrived before, the Collector would add its
    // dimensions.
    let postgres = [server(502, 5).under(4)];
    // Messages.
    cart.extend([producer(600, 2).took(100), producer(601, 2).took(100)]);
    let mailer = [
        consumer(600, 3).under(2).took(9000),
        consumer(601, 3).under(2).failed(),
        consumer(602, 1),
    ];
    // Servers that send no spans: with a peer name, with a less specific one, with none.
    web.extend([
        client(700, 2).with("peer.service", json!("payments")),
        client(701, 2).with("db.system", json!("redis")),
        client(702, 2)
            .with("db.system", json!("redis"))
            .with("peer.service", json!("cache"))
            .failed(),
        client(703, 2),
        producer(704, 2),
    ]);
    // A server span whose client span is missing is not a call by a user.
    cart.push(server(800, 3).under(2));
    // The server's span comes before the client's, or long after it.
    let early = [server(900, 3).under(2).took(3000)];
    let late = [client(900, 2).took(4000)];
    vec![
        request(&[("shipping", &early)]),
        request(&[("web", &web), ("cart", &cart)]),
        request(&[("mailer", &mailer), ("web", &late), ("postgres", &postgres)]),
    ]
}

#[test]
fn by_default_airdig_reads_newer_conventions_and_counts_every_root_span() {
    let spans = [
        client(100, 2).with("server.address", json!("api.example.com")),
        client(101, 2).with("db.namespace", json!("orders")),
        client(102, 2)
            .with("peer.service", json!(""))
            .with("db.system", json!("redis")),
        server(200, 1),
        server(200, 2),
    ];
    let script = [request(&[("web", &spans)])];
    let calls = |metrics: &ServiceGraphMetrics| -> BTreeMap<String, Json> {
        let totals = metrics
            .points
            .iter()
            .filter(|(point, _)| point.name == TOTAL);
        let text = |point: &PointKey, key: &str| point.attributes[key].as_str().unwrap().to_owned();
        let of = |point: &PointKey| {
            format!(
                "{} → {} {}",
                text(point, "client"),
                text(point, "server"),
                text(point, "connection_type")
            )
        };
        totals
            .map(|(point, value)| (of(point), value["asInt"].clone()))
            .collect()
    };
    let [of_airdig, of_collector] = run_until("defaults.yaml", &script, [5, 4]);
    let expected = [
        // Conventions since 1.21: `server.address` and `db.namespace`.
        ("web → api.example.com virtual_node", json!("1")),
        ("web → orders database", json!("1")),
        // An empty name counts as missing.
        ("web → redis database", json!("1")),
        // Two root spans of a trace are two calls.
        ("user → web virtual_node", json!("2")),
    ];
    assert_eq!(
        calls(&of_airdig),
        expected
            .map(|(call, count)| (call.to_owned(), count))
            .into()
    );
    let expected = [
        ("web → unknown virtual_node", json!("2")),
        ("web →  virtual_node", json!("1")),
        ("user → web virtual_node", json!("1")),
    ];
    assert_eq!(
        calls(&of_collector),
        expected
            .map(|(call, count)| (call.to_owned(), count))
            .into()
    );
}

/// The service graph metrics that a program emitted.
#[derive(Debug)]
struct ServiceGraphMetrics {
    points: BTreeMap<PointKey, Json>,
    /// Resource, scope and metadata of each metric in the last request.
    metrics: Vec<String>,
}

/// What identifies a data point.
#[derive(Debug, PartialEq, Eq)]
struct PointKey {
    name: String,
    attributes: Json,
}

impl Ord for PointKey {
    fn cmp(&self, other: &PointKey) -> std::cmp::Ordering {
        let key = |point: &PointKey| (point.name.clone(), point.attributes.to_string());
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for PointKey {
    fn partial_cmp(&self, other: &PointKey) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn run(config: &str, script: &[Json], calls: i64) -> [ServiceGraphMetrics; 2] {
    run_until(config, script, [calls, calls])
}

/// Sends the script to airdig and to the Collector, and waits until each has counted this many calls.
fn run_until(config: &str, script: &[Json], calls: [i64; 2]) -> [ServiceGraphMetrics; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/collector");
    let config = folder.join(config);
    let out = tempfile::tempdir().unwrap();
    let [of_airdig, of_collector, listen] = std::array::from_fn(|_| free_address());
    let sink = Collector::start(
        &folder.join("sink.yaml"),
        &[
            ("OF_AIRDIG", of_airdig.as_str()),
            ("OF_COLLECTOR", &of_collector),
            ("OUT", out.path().to_str().unwrap()),
        ],
    );
    let airdig = Airdig::start(
        &config,
        &[
            ("LISTEN", Path::new("127.0.0.1:0")),
            ("SINK", Path::new(&of_airdig)),
        ],
    );
    let environment = [("LISTEN", listen.as_str()), ("SINK", &of_collector)];
    let collector = Collector::start(&config, &environment);
    for request in script {
        for address in [&airdig.address("receivers/otlp", "http"), &listen] {
            let url = format!("http://{address}/v1/traces");
            let (status, answer) = post(&url, "application/json", request.to_string().as_bytes());
            assert_eq!(status, 200, "{answer}");
        }
    }
    let files = ["airdig.jsonl", "collector.jsonl"].map(|name| out.path().join(name));
    let mut results = files.iter().zip(calls).map(|(file, calls)| {
        let what = format!("{calls} calls in {}", file.display());
        eventually(&what, || {
            let metrics = read(file)?;
            let counted = metrics.calls();
            assert!(
                counted <= calls,
                "{counted} calls are more than {calls}: {metrics:#?}"
            );
            (counted == calls).then_some(metrics)
        })
    });
    let both = std::array::from_fn(|_| results.next().expect("two files"));
    assert!(airdig.stop().success());
    assert!(collector.stop().success());
    assert!(sink.stop().success());
    both
}

impl ServiceGraphMetrics {
    fn calls(&self) -> i64 {
        let totals = self.points.iter().filter(|(point, _)| point.name == TOTAL);
        let calls = totals.map(|(_, value)| value["asInt"].as_str().unwrap().parse::<i64>());
        calls.map(Result::unwrap).sum()
    }
}

/// The newest value of each data point; None while the file has no data point.
fn read(file: &Path) -> Option<ServiceGraphMetrics> {
    let text = fs::read_to_string(file).unwrap_or_default();
    // The last line may be incomplete.
    let lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let mut newest: BTreeMap<PointKey, (u64, Json)> = BTreeMap::new();
    let mut metrics = Vec::new();
    for line in lines {
        metrics.clear();
        let request: Json = serde_json::from_str(line).unwrap();
        for resource in request["resourceMetrics"].as_array().unwrap() {
            for scope in resource["scopeMetrics"].as_array().unwrap() {
                for metric in scope["metrics"].as_array().unwrap() {
                    let metadata = metadata_of(resource, scope, metric);
                    metrics.push(metadata.to_string());
                    for point in points(metric) {
                        keep(&mut newest, metric, &metadata, point);
                    }
                }
            }
        }
    }
    let points: BTreeMap<_, _> = newest
        .into_iter()
        .map(|(point, (_, value))| (point, value))
        .collect();
    metrics.sort();
    (!points.is_empty()).then_some(ServiceGraphMetrics { points, metrics })
}

/// Resource, scope and metadata of a metric, without its data points.
fn metadata_of(resource: &Json, scope: &Json, metric: &Json) -> Json {
    let mut metadata = json!({
        "resource": resource["resource"],
        "scope": scope["scope"],
        "metric": metric,
    });
    for kind in ["sum", "histogram"] {
        if let Some(data) = metadata["metric"].get_mut(kind) {
            data["dataPoints"] = Json::Null;
        }
    }
    metadata
}

fn points(metric: &Json) -> &[Json] {
    ["sum", "histogram"]
        .iter()
        .find_map(|kind| metric[kind]["dataPoints"].as_array())
        .unwrap_or_else(|| panic!("neither a sum nor a histogram: {metric}"))
}

fn keep(
    newest: &mut BTreeMap<PointKey, (u64, Json)>,
    metric: &Json,
    metadata: &Json,
    point: &Json,
) {
    let mut value = point.clone();
    let fields = value.as_object_mut().expect("a data point has fields");
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let time = |json: Json| json.as_str().and_then(|text| text.parse::<u64>().ok());
    let started = time(take("startTimeUnixNano")).expect("a point has a start time");
    let at = time(take("timeUnixNano")).expect("a point has a time");
    assert!(0 < started && started <= at, "{point}");
    let pairs = take("attributes");
    let pairs = pairs.as_array().into_iter().flatten();
    let attributes: BTreeMap<String, Json> = pairs
        .map(|pair| {
            let value = pair["value"].as_object().and_then(|of| of.values().next());
            (
                pair["key"].as_str().unwrap().to_owned(),
                value.cloned().unwrap_or_default(),
            )
        })
        .collect();
    // The Collector adds up binary fractions of seconds, airdig nanoseconds.
    if let Some(sum) = value["sum"].as_f64() {
        value["sum"] = format!("{sum:.9}").into();
    }
    value["metadata"] = metadata.clone();
    let key = PointKey {
        name: metric["name"].as_str().unwrap().to_owned(),
        attributes: json!(attributes),
    };
    if newest.get(&key).is_none_or(|(newest, _)| *newest <= at) {
        newest.insert(key, (at, value));
    }
}
