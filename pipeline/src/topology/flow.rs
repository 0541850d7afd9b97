//! Follows signals through pipelines: forwards which can arrive, backwards which are accepted.

use std::collections::BTreeMap;

use super::Placed;
use super::pipelines::Draft;
use super::sections::Sections;
use crate::config::{Problem, nearest};
use crate::registry::Class;
use crate::{Signal, SignalSet};

/// The engine itself takes refresh requests from the end of every pipeline.
const TO_THE_ENGINE: SignalSet = SignalSet::of(&[Signal::RefreshRequests]);

/// The signals of one pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SignalFlow {
    pub(super) enters: SignalSet,
    pub(super) leaves: SignalSet,
    /// The signals that leave each processor.
    pub(super) after: Vec<SignalSet>,
    /// The signals that components after each processor accept.
    pub(super) wanted: Vec<SignalSet>,
    /// The signals that the first processor, or a component after it, accepts.
    pub(super) wanted_first: SignalSet,
}

#[derive(Debug, Default)]
pub(super) struct Flow {
    /// In the order of the pipelines.
    pub(super) flows: Vec<SignalFlow>,
    /// The signals that components after a receiver, processor or connector accept.
    pub(super) wanted: BTreeMap<Placed, SignalSet>,
}

/// Follows the signals until nothing changes. Sets only grow, so it ends even if pipelines form a cycle.
pub(super) fn follow(drafts: &[Draft], sections: &Sections<'_>) -> Flow {
    let signals = Signals { sections };
    let mut flows = vec![SignalFlow::default(); drafts.len()];
    let mut brought: BTreeMap<Placed, SignalSet> = BTreeMap::new();
    let mut wanted: BTreeMap<Placed, SignalSet> = BTreeMap::new();
    loop {
        let before = (flows.clone(), brought.clone(), wanted.clone());
        for (draft, signal_flow) in drafts.iter().zip(&mut flows) {
            forwards(draft, signal_flow, &signals, &mut brought);
            backwards(draft, signal_flow, &signals, &mut wanted);
        }
        if before == (flows.clone(), brought.clone(), wanted.clone()) {
            return Flow { flows, wanted };
        }
    }
}

/// The signals of configured components.
struct Signals<'a> {
    sections: &'a Sections<'a>,
}

impl Signals<'_> {
    fn accepts(&self, placed: &Placed) -> SignalSet {
        self.sections[placed].signals.accepts
    }

    fn produces(&self, placed: &Placed) -> SignalSet {
        self.sections[placed].signals.produces
    }

    fn after(&self, placed: &Placed, arrives: SignalSet) -> SignalSet {
        self.sections[placed].signals.after(arrives)
    }

    /// The signals of these that the component passes on.
    fn passes(&self, placed: &Placed, signals: SignalSet) -> SignalSet {
        signals.without(self.sections[placed].signals.absorbs)
    }
}

fn accepted_by_pipeline(draft: &Draft) -> SignalSet {
    draft
        .signal
        .map_or(SignalSet::ALL, |signal| SignalSet::of(&[signal]))
}

fn forwards(
    draft: &Draft,
    signal_flow: &mut SignalFlow,
    signals: &Signals<'_>,
    brought: &mut BTreeMap<Placed, SignalSet>,
) {
    let mut arrives = SignalSet::NONE;
    for (receiver, _) in &draft.receivers {
        arrives = arrives.union(match receiver.0 {
            Class::Connector => brought.get(receiver).copied().unwrap_or_default(),
            _ => signals.produces(receiver),
        });
    }
    signal_flow.enters = arrives.intersection(accepted_by_pipeline(draft));
    signal_flow.leaves = signal_flow.enters;
    signal_flow.after.clear();
    for (processor, _) in &draft.processors {
        signal_flow.leaves = signals.after(processor, signal_flow.leaves);
        signal_flow.after.push(signal_flow.leaves);
    }
    for (exporter, _) in &draft.exporters {
        if exporter.0 == Class::Connector {
            let out = signals.after(exporter, signal_flow.leaves);
            let all = brought.entry(exporter.clone()).or_default();
            *all = all.union(out);
        }
    }
}

fn backwards(
    draft: &Draft,
    signal_flow: &mut SignalFlow,
    signals: &Signals<'_>,
    wanted: &mut BTreeMap<Placed, SignalSet>,
) {
    let mut after = SignalSet::NONE;
    for (exporter, _) in &draft.exporters {
        after = after.union(signals.accepts(exporter));
        if exporter.0 == Class::Connector {
            let behind = wanted.get(exporter).copied().unwrap_or_default();
            after = after.union(signals.passes(exporter, behind));
        }
    }
    signal_flow.wanted = vec![SignalSet::NONE; draft.processors.len()];
    for (index, (processor, _)) in draft.processors.iter().enumerate().rev() {
        let behind = after.union(TO_THE_ENGINE);
        signal_flow.wanted[index] = behind;
        let all = wanted.entry(processor.clone()).or_default();
        *all = all.union(behind);
        after = signals
            .passes(processor, after)
            .union(signals.accepts(processor));
    }
    signal_flow.wanted_first = after;
    for (receiver, _) in &draft.receivers {
        let all = wanted.entry(receiver.clone()).or_default();
        *all = all.union(after.intersection(accepted_by_pipeline(draft)));
    }
}

/// Reports receivers that cannot produce a pipeline's signal, and exporters that no accepted signal reaches.
pub(super) fn mismatches(
    drafts: &[Draft],
    flow: &Flow,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) {
    let signals = Signals { sections };
    for (draft, signal_flow) in drafts.iter().zip(&flow.flows) {
        let at = format!("service::pipelines::{}", draft.id);
        let mut mismatch = false;
        if let Some(signal) = draft.signal {
            for (receiver, place) in &draft.receivers {
                let produces = signals.produces(receiver);
                if receiver.0 == Class::Receiver && !produces.contains(signal) {
                    mismatch = true;
                    let message = format!(
                        "{at}: receiver \"{}\" does not produce {signal} (it produces {})",
                        receiver.1,
                        listed(produces)
                    );
                    problems.push(Problem::new(place, message));
                }
            }
        }
        // If a component is missing, it is not known which signals arrive.
        if !draft.whole || mismatch {
            continue;
        }
        for (exporter, place) in &draft.exporters {
            let accepts = signals.accepts(exporter);
            if exporter.0 == Class::Exporter
                && !accepts.is_empty()
                && accepts.intersection(signal_flow.leaves).is_empty()
            {
                let message = format!(
                    "{at}: exporter \"{}\" accepts {}, but the pipeline delivers {}",
                    exporter.1,
                    listed(accepts),
                    listed(signal_flow.leaves)
                );
                problems.push(Problem::new(place, message));
            }
        }
    }
}

/// Notes signals that no component accepts, processors that get no signal that they use, and pipeline ids
/// that look like a misspelled signal.
pub(super) fn notes(drafts: &[Draft], flow: &Flow, sections: &Sections<'_>) -> Vec<String> {
    let signals = Signals { sections };
    let mut notes = Vec::new();
    for (draft, signal_flow) in drafts.iter().zip(&flow.flows) {
        let at = format!("service::pipelines::{}", draft.id);
        if draft.signal.is_none()
            && let Some(meant) = nearest(draft.id.kind(), Signal::ALL.map(Signal::name))
        {
            notes.push(format!(
                "{at}: carries every signal, since its type is not a signal; did you mean \"{meant}\"?"
            ));
        }
        let last = draft
            .exporters
            .iter()
            .fold(SignalSet::NONE, |all, (exporter, _)| {
                let behind = flow.wanted.get(exporter).copied().unwrap_or_default();
                all.union(signals.accepts(exporter))
                    .union(signals.passes(exporter, behind))
            });
        let used = signal_flow.wanted_first.union(last).union(TO_THE_ENGINE);
        let lost: Vec<Signal> = signal_flow
            .leaves
            .iter()
            .filter(|signal| !used.contains(*signal))
            .collect();
        let lost = SignalSet::of(&lost);
        if !lost.is_empty() {
            notes.push(format!(
                "{at}: no exporter or connector accepts {}",
                listed(lost)
            ));
        }
        let mut arrives = signal_flow.enters;
        for (processor, _) in &draft.processors {
            let accepts = signals.accepts(processor);
            if !accepts.is_empty() && accepts.intersection(arrives).is_empty() {
                let id = &processor.1;
                notes.push(format!(
                    "{at}: processor \"{id}\" does nothing: it accepts {}, but no such signal reaches it",
                    listed(accepts)
                ));
            }
            arrives = signals.after(processor, arrives);
        }
    }
    notes
}

fn listed(signals: SignalSet) -> String {
    if signals.is_empty() {
        return "nothing".to_owned();
    }
    signals.to_string()
}
