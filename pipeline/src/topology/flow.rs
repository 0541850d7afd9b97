//! Propagates signals through pipelines: forward, which signals can arrive; backward, which are accepted.

use std::collections::BTreeMap;

use super::ComponentKey;
use super::pipelines::ResolvedPipeline;
use super::sections::Sections;
use crate::config::{Problem, nearest};
use crate::registry::ComponentClass;
use crate::{Signal, SignalSet};

/// The signals that the engine accepts from the end of every pipeline.
const ENGINE_ACCEPTS: SignalSet = SignalSet::of(&[Signal::RefreshRequests]);

/// The signals of one pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PipelineFlow {
    /// The signals that arrive at the first processor.
    pub(super) enters: SignalSet,
    /// The signals that leave the last processor.
    pub(super) leaves: SignalSet,
    /// The signals that leave each processor.
    pub(super) signals_after: Vec<SignalSet>,
    /// The signals that components after each processor accept.
    pub(super) accepted_after: Vec<SignalSet>,
    /// The signals that the first processor, or a component after it, accepts.
    pub(super) accepted_at_start: SignalSet,
}

/// The signals of all pipelines and components.
#[derive(Debug, Default)]
pub(super) struct SignalFlow {
    /// In the order of the pipelines.
    pub(super) flows: Vec<PipelineFlow>,
    /// The signals that components after a receiver, processor or connector accept.
    pub(super) accepted_downstream: BTreeMap<ComponentKey, SignalSet>,
}

/// Propagates the signals until nothing changes. Sets only grow, so the loop ends even if pipelines form a cycle.
pub(super) fn propagate(pipelines: &[ResolvedPipeline], sections: &Sections<'_>) -> SignalFlow {
    let signals = SignalLookup { sections };
    let mut flows = vec![PipelineFlow::default(); pipelines.len()];
    let mut connector_output: BTreeMap<ComponentKey, SignalSet> = BTreeMap::new();
    let mut accepted_downstream: BTreeMap<ComponentKey, SignalSet> = BTreeMap::new();
    loop {
        let before = (
            flows.clone(),
            connector_output.clone(),
            accepted_downstream.clone(),
        );
        for (pipeline, signal_flow) in pipelines.iter().zip(&mut flows) {
            propagate_forward(pipeline, signal_flow, &signals, &mut connector_output);
            propagate_backward(pipeline, signal_flow, &signals, &mut accepted_downstream);
        }
        if before
            == (
                flows.clone(),
                connector_output.clone(),
                accepted_downstream.clone(),
            )
        {
            return SignalFlow {
                flows,
                accepted_downstream,
            };
        }
    }
}

/// The signals of configured components.
struct SignalLookup<'a> {
    sections: &'a Sections<'a>,
}

impl SignalLookup<'_> {
    fn accepts(&self, key: &ComponentKey) -> SignalSet {
        self.sections[key].signals.accepts
    }

    fn produces(&self, key: &ComponentKey) -> SignalSet {
        self.sections[key].signals.produces
    }

    fn leaving(&self, key: &ComponentKey, arriving: SignalSet) -> SignalSet {
        self.sections[key].signals.leaving(arriving)
    }

    /// The subset of `signals` that the component passes on.
    fn passes(&self, key: &ComponentKey, signals: SignalSet) -> SignalSet {
        signals.without(self.sections[key].signals.absorbs)
    }
}

fn accepted_by_pipeline(pipeline: &ResolvedPipeline) -> SignalSet {
    pipeline
        .signal
        .map_or(SignalSet::ALL, |signal| SignalSet::of(&[signal]))
}

fn propagate_forward(
    pipeline: &ResolvedPipeline,
    signal_flow: &mut PipelineFlow,
    signals: &SignalLookup<'_>,
    connector_output: &mut BTreeMap<ComponentKey, SignalSet>,
) {
    let mut arriving = SignalSet::NONE;
    for (receiver, _) in &pipeline.receivers {
        arriving = arriving.union(match receiver.0 {
            ComponentClass::Connector => {
                connector_output.get(receiver).copied().unwrap_or_default()
            }
            _ => signals.produces(receiver),
        });
    }
    signal_flow.enters = arriving.intersection(accepted_by_pipeline(pipeline));
    signal_flow.leaves = signal_flow.enters;
    signal_flow.signals_after.clear();
    for (processor, _) in &pipeline.processors {
        signal_flow.leaves = signals.leaving(processor, signal_flow.leaves);
        signal_flow.signals_after.push(signal_flow.leaves);
    }
    for (exporter, _) in &pipeline.exporters {
        if exporter.0 == ComponentClass::Connector {
            let out = signals.leaving(exporter, signal_flow.leaves);
            let all = connector_output.entry(exporter.clone()).or_default();
            *all = all.union(out);
        }
    }
}

fn propagate_backward(
    pipeline: &ResolvedPipeline,
    signal_flow: &mut PipelineFlow,
    signals: &SignalLookup<'_>,
    accepted_downstream: &mut BTreeMap<ComponentKey, SignalSet>,
) {
    let mut after = SignalSet::NONE;
    for (exporter, _) in &pipeline.exporters {
        after = after.union(signals.accepts(exporter));
        if exporter.0 == ComponentClass::Connector {
            let downstream = accepted_downstream
                .get(exporter)
                .copied()
                .unwrap_or_default();
            after = after.union(signals.passes(exporter, downstream));
        }
    }
    signal_flow.accepted_after = vec![SignalSet::NONE; pipeline.processors.len()];
    for (index, (processor, _)) in pipeline.processors.iter().enumerate().rev() {
        let downstream = after.union(ENGINE_ACCEPTS);
        signal_flow.accepted_after[index] = downstream;
        let all = accepted_downstream.entry(processor.clone()).or_default();
        *all = all.union(downstream);
        after = signals
            .passes(processor, after)
            .union(signals.accepts(processor));
    }
    signal_flow.accepted_at_start = after;
    for (receiver, _) in &pipeline.receivers {
        let all = accepted_downstream.entry(receiver.clone()).or_default();
        *all = all.union(after.intersection(accepted_by_pipeline(pipeline)));
    }
}

/// Reports receivers that cannot produce the signal of their pipeline, and exporters that receive none of the signals
/// that they accept.
pub(super) fn mismatches(
    pipelines: &[ResolvedPipeline],
    flow: &SignalFlow,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) {
    let signals = SignalLookup { sections };
    for (pipeline, signal_flow) in pipelines.iter().zip(&flow.flows) {
        let at = format!("service::pipelines::{}", pipeline.id);
        let mut has_mismatch = false;
        if let Some(signal) = pipeline.signal {
            for (receiver, position) in &pipeline.receivers {
                let produces = signals.produces(receiver);
                if receiver.0 == ComponentClass::Receiver && !produces.contains(signal) {
                    has_mismatch = true;
                    let message = format!(
                        "{at}: receiver \"{}\" does not produce {signal} (it produces {})",
                        receiver.1,
                        list_signals(produces)
                    );
                    problems.push(Problem::new(position, message));
                }
            }
        }
        // If a component is missing, it is unknown which signals arrive at the exporters.
        if !pipeline.is_complete || has_mismatch {
            continue;
        }
        for (exporter, position) in &pipeline.exporters {
            let accepts = signals.accepts(exporter);
            if exporter.0 == ComponentClass::Exporter
                && !accepts.is_empty()
                && accepts.intersection(signal_flow.leaves).is_empty()
            {
                let message = format!(
                    "{at}: exporter \"{}\" accepts {}, but the pipeline delivers {}",
                    exporter.1,
                    list_signals(accepts),
                    list_signals(signal_flow.leaves)
                );
                problems.push(Problem::new(position, message));
            }
        }
    }
}

/// Returns warnings about signals that no component accepts, processors that receive none of the signals that they
/// accept, and ids of pipelines that look like a misspelled signal.
pub(super) fn notes(
    pipelines: &[ResolvedPipeline],
    flow: &SignalFlow,
    sections: &Sections<'_>,
) -> Vec<String> {
    let signals = SignalLookup { sections };
    let mut notes = Vec::new();
    for (pipeline, signal_flow) in pipelines.iter().zip(&flow.flows) {
        let at = format!("service::pipelines::{}", pipeline.id);
        if pipeline.signal.is_none()
            && let Some(similar) = nearest(pipeline.id.kind(), Signal::ALL.map(Signal::name))
        {
            notes.push(format!(
                "{at}: carries every signal, since its type is not a signal; did you mean \"{similar}\"?"
            ));
        }
        let used_after_processors =
            pipeline
                .exporters
                .iter()
                .fold(SignalSet::NONE, |all, (exporter, _)| {
                    let downstream = flow
                        .accepted_downstream
                        .get(exporter)
                        .copied()
                        .unwrap_or_default();
                    all.union(signals.accepts(exporter))
                        .union(signals.passes(exporter, downstream))
                });
        let used = signal_flow
            .accepted_at_start
            .union(used_after_processors)
            .union(ENGINE_ACCEPTS);
        let lost: Vec<Signal> = signal_flow
            .leaves
            .iter()
            .filter(|signal| !used.contains(*signal))
            .collect();
        let lost = SignalSet::of(&lost);
        if !lost.is_empty() {
            notes.push(format!(
                "{at}: no exporter or connector accepts {}",
                list_signals(lost)
            ));
        }
        let mut arriving = signal_flow.enters;
        for (processor, _) in &pipeline.processors {
            let accepts = signals.accepts(processor);
            if !accepts.is_empty() && accepts.intersection(arriving).is_empty() {
                let id = &processor.1;
                notes.push(format!(
                    "{at}: processor \"{id}\" does nothing: it accepts {}, but no such signal reaches it",
                    list_signals(accepts)
                ));
            }
            arriving = signals.leaving(processor, arriving);
        }
    }
    notes
}

fn list_signals(signals: SignalSet) -> String {
    if signals.is_empty() {
        return "nothing".to_owned();
    }
    signals.to_string()
}
