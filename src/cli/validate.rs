//! `airdig validate`: checks a configuration and shows its pipelines.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use pipeline::SignalSet;
use pipeline::registry::{ComponentClass, Registry};
use pipeline::topology::{ComponentKey, Pipeline, Topology};

use super::configuration::ConfigArguments;
use super::print;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    configuration: ConfigArguments,
    /// Also show the plan of each SQL query.
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(arguments: &Arguments, registry: &Registry) -> ExitCode {
    match arguments.configuration.topology(registry) {
        Ok(topology) => print(
            &TopologyTree {
                topology: &topology,
                registry,
                explain: arguments.explain,
            }
            .text(),
        ),
        Err(exit) => exit,
    }
}

/// Renders the pipelines as trees with the signals after each component, and then the notes.
///
/// ```text
/// pipeline traces
///   otlp ── traces
///   └─ batch ── traces
///      └─ sql/slow ── traces, metrics
///         ├─ otlp/tempo accepts traces
///         └─ service_graph accepts traces, emits metrics to pipeline metrics
/// ```
struct TopologyTree<'a> {
    topology: &'a Topology,
    registry: &'a Registry,
    explain: bool,
}

impl TopologyTree<'_> {
    fn text(&self) -> String {
        let mut text = "the configuration is valid".to_owned();
        for pipeline in &self.topology.pipelines {
            let _ = write!(text, "\n\npipeline {}", pipeline.id);
            self.write_pipeline(pipeline, &mut text);
        }
        if !self.topology.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.topology.notes {
            let _ = write!(text, "\nnote: {note}");
        }
        text
    }

    fn write_pipeline(&self, pipeline: &Pipeline, text: &mut String) {
        for receiver in &pipeline.receivers {
            let entering = self.produced(receiver).intersection(signals_of(pipeline));
            let _ = write!(text, "\n  {} ── {}", receiver.1, signal_names(entering));
        }
        for (depth, (id, after)) in pipeline
            .processors
            .iter()
            .zip(&pipeline.signals_after)
            .enumerate()
        {
            let _ = write!(
                text,
                "\n  {}└─ {id} ── {}",
                "   ".repeat(depth),
                signal_names(*after)
            );
            let key = (ComponentClass::Processor, id.clone());
            self.write_plan(&key, depth + 1, text);
        }
        let depth = pipeline.processors.len();
        for (index, exporter) in pipeline.exporters.iter().enumerate() {
            let is_last = index + 1 == pipeline.exporters.len();
            let branch = if is_last { "└─" } else { "├─" };
            let accepted = self.accepted(exporter, pipeline.leaves());
            let indent = "   ".repeat(depth);
            let accepts = match exporter.0 {
                // This exporter only serves requests.
                ComponentClass::Exporter if self.accepts(exporter).is_empty() => String::new(),
                _ => format!(" accepts {}", signal_names(accepted)),
            };
            let _ = write!(text, "\n  {indent}{branch} {}{accepts}", exporter.1);
            if exporter.0 == ComponentClass::Connector {
                self.write_targets(exporter, text);
            }
        }
    }

    /// The signals that a receiver produces, or that a connector emits into its pipelines.
    fn produced(&self, key: &ComponentKey) -> SignalSet {
        let Some(declared) = self.topology.components.get(key) else {
            return SignalSet::NONE;
        };
        if key.0 == ComponentClass::Receiver {
            return declared.signals.produces;
        }
        let upstream = self
            .topology
            .pipelines
            .iter()
            .filter(|pipeline| pipeline.exporters.contains(key));
        upstream.fold(SignalSet::NONE, |emitted, pipeline| {
            emitted.union(declared.signals.leaving(pipeline.leaves()))
        })
    }

    /// The signals that a component declares to accept.
    fn accepts(&self, key: &ComponentKey) -> SignalSet {
        let declared = self.topology.components.get(key);
        declared.map_or(SignalSet::NONE, |declared| declared.signals.accepts)
    }

    /// Returns those of the available signals that an exporter or connector accepts. A connector that declares no
    /// signals accepts all.
    fn accepted(&self, key: &ComponentKey, available: SignalSet) -> SignalSet {
        let accepts = self.accepts(key);
        if key.0 == ComponentClass::Connector && accepts.is_empty() {
            return available;
        }
        accepts.intersection(available)
    }

    /// Writes the pipelines into which a connector emits, with their signals.
    fn write_targets(&self, key: &ComponentKey, text: &mut String) {
        for pipeline in &self.topology.pipelines {
            if pipeline.receivers.contains(key) {
                let emitted = self.produced(key).intersection(signals_of(pipeline));
                let _ = write!(
                    text,
                    ", emits {} to pipeline {}",
                    signal_names(emitted),
                    pipeline.id
                );
            }
        }
    }

    /// Writes the plan of a processor that has one, with `--explain`.
    fn write_plan(&self, key: &ComponentKey, depth: usize, text: &mut String) {
        if !self.explain {
            return;
        }
        let declared = self.topology.components.get(key);
        let plan = declared.and_then(|declared| {
            let factory = self.registry.find(key.0, key.1.kind())?;
            factory.explain(&declared.config)
        });
        for line in plan.iter().flat_map(|plan| plan.lines()) {
            let _ = write!(text, "\n  {}| {line}", "   ".repeat(depth));
        }
    }
}

/// The signals that may be in a pipeline.
fn signals_of(pipeline: &Pipeline) -> SignalSet {
    pipeline
        .signal
        .map_or(SignalSet::ALL, |signal| SignalSet::of(&[signal]))
}

fn signal_names(signals: SignalSet) -> String {
    if signals.is_empty() {
        return "nothing".to_owned();
    }
    signals.to_string()
}
