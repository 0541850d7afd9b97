//! Converts a configuration to a topology, a plan and a running engine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RunningEngine, next_outcome, refusal};
use crate::component::{BuildError, ErrorChain, Host};
use crate::config::YamlNode;
use crate::delivery::Retry;
use crate::engine::build::build;
use crate::engine::{Engine, EngineError};
use crate::exporter_settings::{
    BatchSizer, ExporterSettings, QueueBatch, RetryOnFailure, SendingQueue, Sizer,
};
use crate::registry::{
    BuildConnector, BuildExporter, BuildProcessor, BuildReceiver, ComponentMeta, Registry,
    Stability,
};
use crate::testing::{
    CannedReceiver, CapturedExports, CapturingExporter, DeliveryOutcomes, DerivingProcessor,
    ExportBehaviour, batch,
};
use crate::topology::{Topology, check};
use crate::{Outcome, Signal, SignalSet};

thread_local! {
    /// The handles of the components that were built on the thread of a test.
    static BUILT: RefCell<BuiltComponents> = RefCell::default();
}

#[derive(Default)]
struct BuiltComponents {
    receivers: BTreeMap<String, DeliveryOutcomes>,
    exporters: BTreeMap<String, CapturedExports>,
}

fn outcomes_of(receiver: &str) -> DeliveryOutcomes {
    BUILT.with_borrow_mut(|built| built.receivers.remove(receiver).unwrap())
}

fn captured_by(exporter: &str) -> CapturedExports {
    BUILT.with_borrow(|built| built.exporters[exporter].clone())
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The uids of the spans that the receiver sends.
    uids: Vec<String>,
    /// The number of first attempts of the exporter that fail.
    fails: usize,
    /// The component cannot be built.
    broken: bool,
}

impl Config {
    fn check(&self) -> Result<(), BuildError> {
        match self.broken {
            true => Err(BuildError::new("no model of that name")),
            false => Ok(()),
        }
    }
}

impl ComponentMeta for CannedReceiver {
    const TYPE: &'static str = "canned";
    const STABILITY: Stability = Stability::Stable;
    const SUMMARY: &'static str = "Sends given spans.";
    type Config = Config;
}

impl BuildReceiver for CannedReceiver {
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Traces]);

    fn build(config: Config, host: &Host) -> Result<CannedReceiver, BuildError> {
        config.check()?;
        let batches = config.uids.iter().map(|uid| batch(Signal::Traces, &[uid]));
        let (receiver, outcomes) = CannedReceiver::new(batches.collect());
        let id = host.id().to_string();
        BUILT.with_borrow_mut(|built| built.receivers.insert(id, outcomes));
        Ok(receiver.delivery_timeout(super::TIMEOUT))
    }
}

impl ComponentMeta for DerivingProcessor {
    const TYPE: &'static str = "turn";
    const STABILITY: Stability = Stability::Stable;
    const SUMMARY: &'static str = "Makes nodes of spans.";
    type Config = Config;
}

impl BuildConnector for DerivingProcessor {}

impl BuildProcessor for DerivingProcessor {
    const ACCEPTS: SignalSet = SignalSet::of(&[Signal::Traces]);
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Nodes]);

    fn build(config: Config, _: &Host) -> Result<DerivingProcessor, BuildError> {
        config.check()?;
        Ok(DerivingProcessor(Signal::Nodes))
    }
}

impl ComponentMeta for CapturingExporter {
    const TYPE: &'static str = "capture";
    const STABILITY: Stability = Stability::Stable;
    const SUMMARY: &'static str = "Keeps what it gets.";
    type Config = Config;
}

impl BuildExporter for CapturingExporter {
    const ACCEPTS: SignalSet = SignalSet::of(&[Signal::Traces, Signal::Nodes]);
    const IDEMPOTENT: bool = true;

    fn build(config: Config, host: &Host) -> Result<CapturingExporter, BuildError> {
        config.check()?;
        let (exporter, captured) = CapturingExporter::new();
        let id = host.id().to_string();
        BUILT.with_borrow_mut(|built| built.exporters.insert(id, captured));
        Ok(exporter.first_attempts(vec![ExportBehaviour::Retry(None); config.fails]))
    }
}

fn registry() -> Registry {
    Registry::new()
        .receiver::<CannedReceiver>()
        .processor::<DerivingProcessor>()
        .connector::<DerivingProcessor>()
        .exporter::<CapturingExporter>()
}

fn topology(text: &str) -> Topology {
    check(&YamlNode::from_yaml(text).unwrap(), &registry()).unwrap()
}

const TWO_PIPELINES: &str = "
receivers:
  canned/a: {uids: [a]}
  canned/b: {uids: [b]}
processors:
  turn: {}
connectors:
  turn/over: {}
exporters:
  capture: {}
  capture/once:
    fails: 1
    retry_on_failure: {enabled: false}
  capture/again:
    fails: 2
    retry_on_failure: {initial_interval: 5ms}
service:
  pipelines:
    traces:
      receivers: [canned/a]
      processors: [turn]
      exporters: [capture, capture/again]
    traces/over:
      receivers: [canned/b]
      exporters: [turn/over, capture/once]
    unified:
      receivers: [turn/over]
      exporters: [capture]
";

#[tokio::test]
async fn configuration_becomes_a_running_engine() {
    let engine = Engine::build(topology(TWO_PIPELINES), &registry()).unwrap();
    let running = RunningEngine::of(engine);
    let mut of_a = outcomes_of("canned/a");
    assert_eq!(next_outcome(&mut of_a).await, Outcome::Delivered);
    let mut of_b = outcomes_of("canned/b");
    let refusal = refusal(&mut of_b).await;
    assert_eq!(refusal.component, "exporters/capture/once");
    assert!(matches!(refusal.retry, Retry::After(_)), "{refusal:?}");
    running.stop().await.unwrap();
    // A span, the node that a processor derived from it, and the node that a connector derived, without its span.
    assert_eq!(super::sorted(&captured_by("capture")), ["a", "a", "b"]);
    assert_eq!(captured_by("capture/again").uids(), ["a", "a"]);
    assert_eq!(captured_by("capture/once").attempts(), 1);
}

#[test]
fn exporter_gets_the_common_settings() {
    let text = "
receivers:
  canned: {}
exporters:
  capture/default: {fails: 0}
  capture/own:
    fails: 1
    timeout: 7s
    retry_on_failure:
      enabled: false
      initial_interval: 100ms
      randomization_factor: 0.1
      multiplier: 3
      max_interval: 1m
      max_elapsed_time: 0
    sending_queue:
      enabled: true
      num_consumers: 2
      queue_size: 5000
      sizer: items
      block_on_overflow: true
      wait_for_result: false
      outbox_size: 1000
      batch: {flush_timeout: 1s, min_size: 10, max_size: 20, sizer: bytes}
service:
  pipelines:
    traces: {receivers: [canned], exporters: [capture/default, capture/own]}
";
    let plan = build(topology(text), &registry()).unwrap();
    let settings_of = |id: &str| {
        let mut exporters = plan.exporters.iter();
        let planned = exporters.find(|planned| planned.id.to_string() == id);
        planned.unwrap().settings.clone()
    };
    assert_eq!(settings_of("capture/default"), ExporterSettings::default());
    let own = ExporterSettings {
        timeout: Duration::from_secs(7),
        retry_on_failure: RetryOnFailure {
            enabled: false,
            initial_interval: Duration::from_millis(100),
            randomization_factor: 0.1,
            multiplier: 3.0,
            max_interval: Duration::from_secs(60),
            max_elapsed_time: Duration::ZERO,
        },
        sending_queue: SendingQueue {
            enabled: true,
            num_consumers: 2,
            queue_size: 5000,
            sizer: Sizer::Items,
            block_on_overflow: true,
            wait_for_result: false,
            outbox_size: 1000,
            batch: Some(QueueBatch {
                flush_timeout: Duration::from_secs(1),
                min_size: 10,
                max_size: 20,
                sizer: BatchSizer::Bytes,
            }),
        },
    };
    assert_eq!(settings_of("capture/own"), own);
}

#[test]
fn component_that_cannot_be_built_is_named() {
    let build_error = |broken: &str| {
        let text = format!(
            "
receivers: {{canned: {{}}}}
processors: {{turn: {{broken: {}}}}}
exporters: {{capture: {{broken: {}}}}}
service:
  pipelines:
    traces: {{receivers: [canned], processors: [turn], exporters: [capture]}}
",
            broken == "turn",
            broken == "capture"
        );
        let built: Result<Engine, EngineError> = Engine::build(topology(&text), &registry());
        let error = built.err().unwrap();
        ErrorChain(&error).to_string()
    };
    let exporter = "cannot build exporters/capture: no model of that name";
    assert_eq!(build_error("capture"), exporter);
    let processor = "cannot build processors/turn of pipeline traces: no model of that name";
    assert_eq!(build_error("turn"), processor);
}
