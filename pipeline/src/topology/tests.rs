//! Tests of the check of a configuration: valid topologies, and problems with their positions.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{Topology, check};
use crate::channel::Output;
use crate::component::{
    BuildError, ExportError, Exporter, Host, ProcessError, Processor, Receiver, RunError, StoreRef,
    UnixNanos,
};
use crate::config::{Problem, YamlNode};
use crate::registry::{
    BuildConnector, BuildExporter, BuildProcessor, BuildReceiver, ComponentClass, ComponentMeta,
    Registry, Stability,
};
use crate::{Batch, Signal, SignalSet};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    endpoint: String,
    port: u16,
    /// Checked after decoding.
    name: Name,
    store: Option<StoreRef>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Name;

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Name, String> {
        match text.strip_prefix("bad") {
            Some(_) => Err(format!("{text:?} is a bad name")),
            None => Ok(Name),
        }
    }
}

/// A component of the type that the number selects.
struct TestComponent<const KIND: usize>;

macro_rules! component_meta {
    ($($kind:literal $name:literal),+) => { $(
        impl ComponentMeta for TestComponent<$kind> {
            const TYPE: &'static str = $name;
            const ALIASES: &'static [&'static str] = &[concat!("old_", $name)];
            const STABILITY: Stability = Stability::Alpha;
            const SUMMARY: &'static str = "A test double.";
            type Config = Config;
        }
    )+ };
}
component_meta!(0 "otlp", 1 "scan", 2 "graph", 3 "debug", 4 "sqlite", 5 "api", 6 "join");

macro_rules! receivers {
    ($($kind:literal $produces:expr),+) => { $(
        #[async_trait]
        impl Receiver for TestComponent<$kind> {
            async fn run(self: Box<Self>, _: Output, _: CancellationToken) -> Result<(), RunError> {
                Ok(())
            }
        }
        impl BuildReceiver for TestComponent<$kind> {
            const PRODUCES: SignalSet = $produces;
            fn build(_: Config, _: &Host) -> Result<Self, BuildError> {
                Ok(TestComponent)
            }
        }
    )+ };
}
receivers!(0 SignalSet::TELEMETRY, 1 SignalSet::of(&[Signal::Resources]));

macro_rules! processors {
    ($($kind:literal $accepts:expr, $produces:expr);+) => { $(
        impl Processor for TestComponent<$kind> {
            fn process(&mut self, batch: Batch, _: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
                Ok(vec![batch])
            }
        }
        impl BuildProcessor for TestComponent<$kind> {
            const ACCEPTS: SignalSet = $accepts;
            const PRODUCES: SignalSet = $produces;
            fn build(_: Config, _: &Host) -> Result<Self, BuildError> {
                Ok(TestComponent)
            }
        }
    )+ };
}
processors!(
    2 SignalSet::of(&[Signal::Resources]), SignalSet::of(&[Signal::Nodes, Signal::Edges]);
    6 SignalSet::NONE, SignalSet::NONE
);

impl BuildConnector for TestComponent<6> {
    const PASSES_INPUT: bool = true;
}
impl BuildConnector for TestComponent<2> {}

macro_rules! exporters {
    ($($kind:literal $accepts:expr, $is_graph_store:literal);+) => { $(
        #[async_trait]
        impl Exporter for TestComponent<$kind> {
            async fn export(&self, _: &Batch) -> Result<(), ExportError> {
                Ok(())
            }
        }
        impl BuildExporter for TestComponent<$kind> {
            const ACCEPTS: SignalSet = $accepts;
            const IDEMPOTENT: bool = true;
            const IS_GRAPH_STORE: bool = $is_graph_store;
            fn build(_: Config, _: &Host) -> Result<Self, BuildError> {
                Ok(TestComponent)
            }
        }
    )+ };
}
exporters!(3 SignalSet::TELEMETRY, false; 4 SignalSet::GRAPH, true; 5 SignalSet::NONE, true);

fn registry() -> Registry {
    Registry::new()
        .receiver::<TestComponent<0>>()
        .receiver::<TestComponent<1>>()
        .processor::<TestComponent<2>>()
        .connector::<TestComponent<2>>()
        .connector::<TestComponent<6>>()
        .exporter::<TestComponent<3>>()
        .exporter::<TestComponent<4>>()
        .exporter::<TestComponent<5>>()
        .without(ComponentClass::Processor, "memory_limiter", "leave it out")
}

#[test]
fn type_that_is_not_in_the_binary_is_reported_with_a_reason() {
    let text = UNIFIED.replace("{graph: }", "{graph: , memory_limiter: {limit_mib: 1}}");
    let expected = "processors: type \"memory_limiter\" is not in this binary: leave it out";
    assert!(
        messages(&text)
            .iter()
            .any(|message| message.ends_with(expected)),
        "{:?}",
        messages(&text)
    );
}

fn checked(text: &str) -> Result<Topology, Vec<Problem>> {
    check(&YamlNode::from_yaml(text).unwrap(), &registry())
}

fn messages(text: &str) -> Vec<String> {
    let problems = checked(text).unwrap_err();
    let line = |problem: &Problem| {
        let position = &problem.position;
        format!(
            "{}:{} {}",
            position.line(),
            position.column(),
            problem.message
        )
    };
    problems.iter().map(line).collect()
}

const UNIFIED: &str = "\
receivers: {otlp: , scan/aws: {endpoint: x}}
processors: {graph: }
exporters:
  debug: {timeout: 1s, endpoint: y, sending_queue: {queue_size: 7}}
  sqlite:
  api: {store: sqlite}
service:
  telemetry: {logs: {level: DEBUG}, metrics: {address: \"localhost:8888\"}}
  pipelines:
    unified: {receivers: [otlp, scan/aws], processors: [graph], exporters: [api, debug, sqlite]}
";

#[test]
fn valid_configuration_becomes_a_topology() {
    let topology = checked(UNIFIED).unwrap();
    let order: Vec<String> = topology
        .build_order
        .iter()
        .map(|(class, id)| format!("{} {id}", class.singular()))
        .collect();
    assert_eq!(
        order,
        [
            "exporter sqlite",
            "exporter api",
            "exporter debug",
            "processor graph",
            "receiver otlp",
            "receiver scan/aws"
        ]
    );
    let pipeline = &topology.pipelines[0];
    let graph = SignalSet::GRAPH.union(SignalSet::TELEMETRY);
    assert_eq!(pipeline.signal, None);
    let refresh_requests = SignalSet::of(&[Signal::RefreshRequests]);
    assert_eq!(
        pipeline.accepted_after,
        [graph.union(refresh_requests)],
        "the engine accepts refresh requests"
    );
    assert_eq!(
        pipeline.enters.to_string(),
        "traces, metrics, logs, resources"
    );
    assert!(pipeline.leaves().contains(Signal::Nodes));
    let scan = &topology.components[&(ComponentClass::Receiver, "scan/aws".parse().unwrap())];
    assert!(scan.accepted_downstream.contains(Signal::Resources));
    let debug = &topology.components[&(ComponentClass::Exporter, "debug".parse().unwrap())];
    assert_eq!(debug.settings.as_ref().unwrap().sending_queue.queue_size, 7);
    assert_eq!(debug.config.keys().collect::<Vec<_>>(), ["endpoint"]);
    assert_eq!(topology.telemetry.log_level.as_deref(), Some("debug"));
    assert_eq!(topology.telemetry.metrics_address.unwrap().port(), 8888);
    assert_eq!(topology.notes, Vec::<String>::new());
}

#[test]
fn all_problems_are_reported_with_their_positions() {
    let text = "\
receivers:
  otlp: {endpont: x}
  otpl/2:
  scan:
processors:
  graph: {port: many}
exporters:
  debug: {timeout: soon, name: bad one}
  sqlite: {name: bad one}
service:
  pipelines:
    traces:
      receivers: [otlp, scan]
      processors: [graph, graph, nop]
      exporters: [debg]
";
    let expected = [
        "2:10 unknown key \"endpont\"",
        "3:3 receivers: unknown type: \"otpl\" for id: \"otpl/2\" (valid values: [otlp scan])",
        "6:17 expected a whole number, found text",
        "8:20 expected a duration such as 200ms, 5s or 1m30s",
        "8:32 \"bad one\" is a bad name",
        "9:18 \"bad one\" is a bad name",
        "13:25 service::pipelines::traces: receiver \"scan\" does not produce traces (it produces \
         resources)",
        "14:27 service::pipelines::traces: references processor \"graph\" multiple times",
        "14:34 service::pipelines::traces: references processor \"nop\" which is not configured",
        "15:19 service::pipelines::traces: references exporter \"debg\" which is not configured",
    ];
    assert_eq!(messages(text), expected);
    let shown = checked(text).unwrap_err()[0].to_string();
    assert_eq!(
        shown,
        "test.yaml:2:10: unknown key \"endpont\"\n    |   otlp: {endpont: x}\n    |          ^ did \
         you mean \"endpoint\"?"
    );
    let last = checked(text).unwrap_err().pop().unwrap();
    assert_eq!(last.suggestion.as_deref(), Some("debug"));
}

#[test]
fn exporter_that_no_accepted_signal_reaches_is_reported() {
    let text = "\
receivers: {otlp: }
exporters: {sqlite: , api: {store: sqlte}}
service: {pipelines: {logs/a: {receivers: [otlp], exporters: [sqlite, api]}}}
";
    let expected = [
        "2:36 exporters::api: references exporter \"sqlte\" which is not configured",
        "3:63 service::pipelines::logs/a: exporter \"sqlite\" accepts changes, nodes, edges, \
         aliases, edge_stats, drift, health, correlations, alerts, but the pipeline delivers logs",
    ];
    assert_eq!(messages(text), expected);
}

#[test]
fn cycle_of_pipelines_is_reported() {
    let text = "\
receivers: {otlp: }
connectors: {join/a: , join/b: }
exporters: {debug: }
service:
  pipelines:
    traces/1: {receivers: [otlp, join/b], exporters: [join/a]}
    traces/2: {receivers: [join/a], exporters: [debug, join/b]}
";
    assert_eq!(
        messages(text),
        [
            "6:55 cycle: connector \"join/a\" -> pipeline \"traces/2\" -> connector \"join/b\" -> \
             pipeline \"traces/1\" -> connector \"join/a\""
        ]
    );
}

#[test]
fn cycle_of_stores_is_reported() {
    let text = "\
receivers: {otlp: }
exporters: {api/1: {store: api/2}, api/2: {store: api/1}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [api/1, api/2]}}}
";
    let cycle = "cycle: exporter \"api/1\" -> exporter \"api/2\" -> exporter \"api/1\"";
    assert_eq!(messages(text), [format!("2:51 {cycle}")]);
}

#[test]
fn store_that_is_not_a_graph_store_is_reported() {
    let text = "\
receivers: {otlp: }
exporters: {debug: , api: {store: debug}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug, api]}}}
";
    let expected =
        ["2:35 exporters::api: references exporter \"debug\" which is not a graph store"];
    assert_eq!(messages(text), expected);
}

#[test]
fn connector_carries_signals_from_one_pipeline_to_the_next() {
    let text = "\
receivers: {old_otlp: }
connectors: {join: }
exporters: {debug: }
service:
  pipelines:
    all: {receivers: [old_otlp], exporters: [join]}
    traces: {receivers: [join], exporters: [debug]}
";
    let topology = checked(text).unwrap();
    assert_eq!(topology.pipelines[1].enters.to_string(), "traces");
    let otlp = &topology.components[&(ComponentClass::Receiver, "old_otlp".parse().unwrap())];
    assert_eq!(otlp.accepted_downstream.to_string(), "traces");
    let lonely = text.replace("exporters: [join]", "exporters: [debug]");
    assert!(messages(&lonely)[0].contains("not used in any pipeline as exporter"));
}

#[test]
fn connector_does_not_pass_on_its_input() {
    let text = "\
receivers: {scan: }
connectors: {graph: }
exporters: {sqlite: }
service:
  pipelines:
    resources: {receivers: [scan], exporters: [graph]}
    unified: {receivers: [graph], exporters: [sqlite]}
";
    let topology = checked(text).unwrap();
    assert_eq!(topology.pipelines[1].enters.to_string(), "nodes, edges");
    let scan = &topology.components[&(ComponentClass::Receiver, "scan".parse().unwrap())];
    assert_eq!(scan.accepted_downstream.to_string(), "resources");
}

#[test]
fn pipeline_of_a_signal_that_airdig_lacks_is_rejected() {
    let text = "\
receivers: {otlp: }
exporters: {debug: }
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
    profiles: {receivers: [otlp], exporters: [debug]}
    profiles/2: {receivers: [otlp], exporters: [debug]}
";
    let advice = "the signal \"profiles\" is not supported: remove the pipeline. With another name, it would carry \
                  every signal of its receivers";
    let expected = ["6:5", "7:5"].into_iter().zip(["profiles", "profiles/2"]);
    let expected: Vec<String> = expected
        .map(|(position, id)| format!("{position} service::pipelines::{id}: {advice}"))
        .collect();
    assert_eq!(messages(text), expected);
}

#[test]
fn pipeline_id_that_is_nearly_a_signal_gets_a_warning() {
    let text = "\
receivers: {otlp: }
exporters: {debug: }
service: {pipelines: {trace/web: {receivers: [otlp], exporters: [debug]}}}
";
    let notes = checked(text).unwrap().notes;
    let expected = "service::pipelines::trace/web: carries every signal, since its type is not a \
        signal; did you mean \"traces\"?";
    assert_eq!(notes, [expected]);
}

#[test]
fn unused_component_gets_a_warning() {
    let text = "\
receivers: {otlp: , scan: }
processors: {graph: }
exporters: {debug: }
service: {pipelines: {all: {receivers: [otlp], processors: [graph], exporters: [debug]}}}
";
    let expected = [
        "test.yaml:1:21: receiver \"scan\" is configured, but not used in any pipeline or \
         service::extensions",
        "service::pipelines::all: processor \"graph\" does nothing: it accepts resources, but no such \
         signal reaches it",
    ];
    assert_eq!(checked(text).unwrap().notes, expected);
}

#[test]
fn pipeline_needs_receivers_and_exporters() {
    let text = "\
receivers: {otlp: }
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp]}, logs: }, extension: [x]}
";
    let expected = [
        "3:23 service::pipelines::traces: must have at least one exporter",
        "3:52 service::pipelines::logs: must have at least one exporter",
        "3:52 service::pipelines::logs: must have at least one receiver",
        "3:61 service: unknown key \"extension\"",
    ];
    assert_eq!(messages(text), expected);
    for text in [
        "",
        "service:",
        "service: {pipelines: }",
        "service: 3",
        "[1]",
    ] {
        assert!(checked(text).is_err(), "{text}");
    }
}

#[test]
fn problem_of_loading_is_not_reported_twice() {
    let text = "\
receivers: {otlp: {port: \"${env:AIRDIG_TEST_UNSET}\"}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp, \"${env:AIRDIG_TEST_UNSET}\"], exporters: [debug]}}}
";
    let mut context = crate::config::LoadContext {
        environment: Box::new(|_| None),
        ..crate::config::LoadContext::default()
    };
    let root = crate::config::parse("test.yaml", text, &mut context).unwrap();
    assert_eq!(context.problems.len(), 2);
    assert!(check(&root, &registry()).is_ok());
}

#[test]
fn check_does_not_panic_on_any_file() {
    // Each line of a valid file is replaced in turn.
    let lines: Vec<&str> = UNIFIED.lines().collect();
    for index in 0..lines.len() {
        for replacement in ["", "  x: [}", "- a", "  unified: [1, {a: }]", "service: "] {
            let mut changed = lines.clone();
            changed[index] = replacement;
            if let Ok(root) = YamlNode::from_yaml(&changed.join("\n")) {
                let _ = check(&root, &registry());
            }
        }
    }
}

#[test]
fn registry_builds_the_types_that_it_lists() {
    let registry = registry();
    let host = Host::new(
        "otlp".parse().unwrap(),
        SignalSet::ALL,
        std::sync::Arc::default(),
    );
    let otlp = registry.find(ComponentClass::Receiver, "old_otlp").unwrap();
    assert!(otlp.build_receiver(&YamlNode::empty(), &host).is_ok());
    let error = otlp
        .build_exporter(&YamlNode::empty(), &host)
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "receiver otlp is not an exporter");
    let wrong = YamlNode::from_yaml("port: x").unwrap();
    let error = otlp.build_receiver(&wrong, &host).err().unwrap();
    assert_eq!(
        error.to_string(),
        "test.yaml:1:7: expected a number, found text"
    );
    let join = registry.find(ComponentClass::Connector, "join").unwrap();
    assert!(join.build_processor(&YamlNode::empty(), &host).is_ok());
}
