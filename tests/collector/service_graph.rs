//! The same spans through the same configuration, in the Collector and in airdig: the metrics of
//! both come to one Collector, which writes them down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::spans::{Span, client, consumer, internal, producer, request, server};
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
            panic!("airdig does not tell of {point:#?} but of {of_airdig:#?}");
        };
        assert_eq!(ours, value, "{point:#?}");
    }
    assert_eq!(of_airdig.points, of_collector.points);
    assert_eq!(of_airdig.metrics, of_collector.metrics);
}

/// Requests that have all that a service graph is made of; 27 calls.
fn script() -> Vec<Json> {
    // A client's span, its server's, and microseconds of both.
    let call = |trace, took: [u64; 2]| {
        [
            client(trace, 2).took(took[0]),
            server(trace, 3).under(2).took(took[1]),
        ]
    };
    let mut web: Vec<Span> = Vec::new();
    let mut cart: Vec<Span> = Vec::new();
    // On both sides of bounds, on a bound, and beyond the last.
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
        let fail = |span: Span, fails: bool| if fails { span.failed() } else { span };
        let [ours, theirs] = call(trace, [5000, 4000]);
        web.push(fail(ours, failing[0]));
        cart.push(fail(theirs, failing[1]));
    }
    // A user's call, which is a trace's root, and work inside of a service.
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
    // Databases, also one that is instrumented.
    let statement = |trace, name: &str| client(trace, 4).with("db.name", json!(name)).took(700);
    cart.extend([
        statement(500, "carts"),
        statement(501, "carts").failed(),
        statement(502, "orders").with("peer.service", json!("postgres")),
    ]);
    // Its span comes after the call is counted; before, the Collector would add its dimensions.
    let postgres = [server(502, 5).under(4)];
    // Messages.
    cart.extend([producer(600, 2).took(100), producer(601, 2).took(100)]);
    let mailer = [
        consumer(600, 3).under(2).took(9000),
        consumer(601, 3).under(2).failed(),
        consumer(602, 1),
    ];
    // Servers that send no spans: with a name, with a worse name, with none.
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
    // A server whose client sends no span is no call by a user.
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
fn by_default_airdig_knows_newer_names_and_counts_every_root() {
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
    let calls = |told: &Told| -> BTreeMap<String, Json> {
        let totals = told.points.iter().filter(|(point, _)| point.name == TOTAL);
        let text = |point: &Point, key: &str| point.attributes[key].as_str().unwrap().to_owned();
        let of = |point: &Point| {
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
        // An empty name is none.
        ("web → redis database", json!("1")),
        // Two roots of a trace are two calls.
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

/// What a program told of its service graph.
#[derive(Debug)]
struct Told {
    points: BTreeMap<Point, Json>,
    /// What the last request had, besides its data points.
    metrics: Vec<String>,
}

/// What tells a data point from others.
#[derive(Debug, PartialEq, Eq)]
struct Point {
    name: String,
    attributes: Json,
}

impl Ord for Point {
    fn cmp(&self, other: &Point) -> std::cmp::Ordering {
        let key = |point: &Point| (point.name.clone(), point.attributes.to_string());
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Point {
    fn partial_cmp(&self, other: &Point) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn run(config: &str, script: &[Json], calls: i64) -> [Told; 2] {
    run_until(config, script, [calls, calls])
}

/// Sends the script to airdig and to the Collector, until each has told of so many calls.
fn run_until(config: &str, script: &[Json], calls: [i64; 2]) -> [Told; 2] {
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
    let mut told = files.iter().zip(calls).map(|(file, calls)| {
        let what = format!("{calls} calls in {}", file.display());
        eventually(&what, || {
            let told = read(file)?;
            let found = told.calls();
            assert!(
                found <= calls,
                "{found} calls are more than {calls}: {told:#?}"
            );
            (found == calls).then_some(told)
        })
    });
    let both = std::array::from_fn(|_| told.next().expect("two files"));
    assert!(airdig.stop().success());
    assert!(collector.stop().success());
    assert!(sink.stop().success());
    both
}

impl Told {
    fn calls(&self) -> i64 {
        let totals = self.points.iter().filter(|(point, _)| point.name == TOTAL);
        let calls = totals.map(|(_, value)| value["asInt"].as_str().unwrap().parse::<i64>());
        calls.map(Result::unwrap).sum()
    }
}

/// The newest of every data point; none before there is one.
fn read(file: &Path) -> Option<Told> {
    let text = fs::read_to_string(file).unwrap_or_default();
    // The last line may be half written.
    let lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let mut newest: BTreeMap<Point, (u64, Json)> = BTreeMap::new();
    let mut metrics = Vec::new();
    for line in lines {
        metrics.clear();
        let request: Json = serde_json::from_str(line).unwrap();
        for resource in request["resourceMetrics"].as_array().unwrap() {
            for scope in resource["scopeMetrics"].as_array().unwrap() {
                for metric in scope["metrics"].as_array().unwrap() {
                    let about = about(resource, scope, metric);
                    metrics.push(about.to_string());
                    for point in points(metric) {
                        keep(&mut newest, metric, &about, point);
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
    (!points.is_empty()).then_some(Told { points, metrics })
}

/// All that is said of a metric besides its data points.
fn about(resource: &Json, scope: &Json, metric: &Json) -> Json {
    let mut about = json!({
        "resource": resource["resource"],
        "scope": scope["scope"],
        "metric": metric,
    });
    for kind in ["sum", "histogram"] {
        if let Some(data) = about["metric"].get_mut(kind) {
            data["dataPoints"] = Json::Null;
        }
    }
    about
}

fn points(metric: &Json) -> &[Json] {
    ["sum", "histogram"]
        .iter()
        .find_map(|kind| metric[kind]["dataPoints"].as_array())
        .unwrap_or_else(|| panic!("neither a sum nor a histogram: {metric}"))
}

fn keep(newest: &mut BTreeMap<Point, (u64, Json)>, metric: &Json, about: &Json, point: &Json) {
    let mut value = point.clone();
    let fields = value.as_object_mut().expect("a data point has fields");
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let time = |json: Json| json.as_str().and_then(|text| text.parse::<u64>().ok());
    let started = time(take("startTimeUnixNano")).expect("it says since when it counts");
    let at = time(take("timeUnixNano")).expect("it says when");
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
    value["about"] = about.clone();
    let key = Point {
        name: metric["name"].as_str().unwrap().to_owned(),
        attributes: json!(attributes),
    };
    if newest.get(&key).is_none_or(|(known, _)| *known <= at) {
        newest.insert(key, (at, value));
    }
}
