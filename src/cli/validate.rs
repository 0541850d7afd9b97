//! `airdig validate`: is a configuration good, and what will run?

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use pipeline::SignalSet;
use pipeline::registry::{Class, Registry};
use pipeline::topology::{Pipeline, Placed, Topology};

use super::configuration::Arguments;
use super::print;

#[derive(Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    configuration: Arguments,
    /// Also shows the plan of each query.
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(options: &Options, registry: &Registry) -> ExitCode {
    match options.configuration.topology(registry) {
        Ok(topology) => print(
            &Shown {
                topology: &topology,
                registry,
                explain: options.explain,
            }
            .text(),
        ),
        Err(exit) => exit,
    }
}

/// The pipelines as trees, with the signals on each edge, and the notes.
///
/// ```text
/// pipeline traces
///   otlp ── traces
///   └─ batch ── traces
///      └─ sql/slow ── traces, metrics
///         ├─ otlp/tempo takes traces
///         └─ service_graph takes traces, gives metrics to pipeline metrics
/// ```
struct Shown<'a> {
    topology: &'a Topology,
    registry: &'a Registry,
    explain: bool,
}

impl Shown<'_> {
    fn text(&self) -> String {
        let mut text = "the configuration is valid".to_owned();
        for pipeline in &self.topology.pipelines {
            let _ = write!(text, "\n\npipeline {}", pipeline.id);
            self.pipeline(pipeline, &mut text);
        }
        if !self.topology.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.topology.notes {
            let _ = write!(text, "\nnote: {note}");
        }
        text
    }

    fn pipeline(&self, pipeline: &Pipeline, text: &mut String) {
        for receiver in &pipeline.receivers {
            let brought = self.brought(receiver).intersection(takes(pipeline));
            let _ = write!(text, "\n  {} ── {}", receiver.1, listed(brought));
        }
        for (depth, (id, after)) in pipeline.processors.iter().zip(&pipeline.after).enumerate() {
            let _ = write!(
                text,
                "\n  {}└─ {id} ── {}",
                "   ".repeat(depth),
                listed(*after)
            );
            let placed = (Class::Processor, id.clone());
            self.explain(&placed, depth + 1, text);
        }
        let depth = pipeline.processors.len();
        for (index, exporter) in pipeline.exporters.iter().enumerate() {
            let is_last = index + 1 == pipeline.exporters.len();
            let branch = if is_last { "└─" } else { "├─" };
            let taken = self.taken(exporter, pipeline.leaves());
            let indent = "   ".repeat(depth);
            let takes = match exporter.0 {
                // It only answers.
                Class::Exporter if self.accepts(exporter).is_empty() => String::new(),
                _ => format!(" takes {}", listed(taken)),
            };
            let _ = write!(text, "\n  {indent}{branch} {}{takes}", exporter.1);
            if exporter.0 == Class::Connector {
                self.connector(exporter, text);
            }
        }
    }

    /// What a receiver, or a connector that leads here, brings.
    fn brought(&self, placed: &Placed) -> SignalSet {
        let Some(declared) = self.topology.components.get(placed) else {
            return SignalSet::NONE;
        };
        if placed.0 == Class::Receiver {
            return declared.signals.produces;
        }
        let before = self
            .topology
            .pipelines
            .iter()
            .filter(|pipeline| pipeline.exporters.contains(placed));
        before.fold(SignalSet::NONE, |all, pipeline| {
            all.union(declared.signals.after(pipeline.leaves()))
        })
    }

    fn accepts(&self, placed: &Placed) -> SignalSet {
        let declared = self.topology.components.get(placed);
        declared.map_or(SignalSet::NONE, |declared| declared.signals.accepts)
    }

    /// A connector that looks at nothing takes all.
    fn taken(&self, placed: &Placed, leaves: SignalSet) -> SignalSet {
        let accepts = self.accepts(placed);
        if placed.0 == Class::Connector && accepts.is_empty() {
            return leaves;
        }
        accepts.intersection(leaves)
    }

    fn connector(&self, placed: &Placed, text: &mut String) {
        for pipeline in &self.topology.pipelines {
            if pipeline.receivers.contains(placed) {
                let given = self.brought(placed).intersection(takes(pipeline));
                let _ = write!(
                    text,
                    ", gives {} to pipeline {}",
                    listed(given),
                    pipeline.id
                );
            }
        }
    }

    fn explain(&self, placed: &Placed, depth: usize, text: &mut String) {
        if !self.explain {
            return;
        }
        let declared = self.topology.components.get(placed);
        let plan = declared.and_then(|declared| {
            let factory = self.registry.find(placed.0, placed.1.kind())?;
            factory.explain(&declared.config)
        });
        for line in plan.iter().flat_map(|plan| plan.lines()) {
            let _ = write!(text, "\n  {}| {line}", "   ".repeat(depth));
        }
    }
}

fn takes(pipeline: &Pipeline) -> SignalSet {
    pipeline
        .signal
        .map_or(SignalSet::ALL, |signal| SignalSet::of(&[signal]))
}

fn listed(signals: SignalSet) -> String {
    if signals.is_empty() {
        return "nothing".to_owned();
    }
    signals.to_string()
}
