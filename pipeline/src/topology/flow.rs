//! Which signals go where: forwards what can arrive, backwards what somebody wants.

use std::collections::BTreeMap;

use super::Placed;
use super::pipelines::Draft;
use super::sections::Sections;
use crate::config::{Problem, nearest};
use crate::registry::Class;
use crate::{Signal, SignalSet};

/// The engine itself takes requests to look again, from the end of every pipeline.
const TO_THE_ENGINE: SignalSet = SignalSet::of(&[Signal::RefreshRequests]);

/// The signals of one pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Course {
    pub(super) enters: SignalSet,
    pub(super) leaves: SignalSet,
    /// What leaves each processor.
    pub(super) after: Vec<SignalSet>,
    /// What each processor's successors accept.
    pub(super) wanted: Vec<SignalSet>,
    /// What the first processor, and all after it, accept.
    pub(super) wanted_first: SignalSet,
}

#[derive(Debug, Default)]
pub(super) struct Flow {
    /// In the order of the pipelines.
    pub(super) courses: Vec<Course>,
    /// What somebody after a receiver, processor or connector accepts.
    pub(super) wanted: BTreeMap<Placed, SignalSet>,
}

/// Follows the signals until nothing changes. Sets only grow, so it ends also where pipelines
/// lead in a circle.
pub(super) fn follow(drafts: &[Draft], sections: &Sections<'_>) -> Flow {
    let signals = Signals { sections };
    let mut courses = vec![Course::default(); drafts.len()];
    let mut brought: BTreeMap<Placed, SignalSet> = BTreeMap::new();
    let mut wanted: BTreeMap<Placed, SignalSet> = BTreeMap::new();
    loop {
        let before = (courses.clone(), brought.clone(), wanted.clone());
        for (draft, course) in drafts.iter().zip(&mut courses) {
            forwards(draft, course, &signals, &mut brought);
            backwards(draft, course, &signals, &mut wanted);
        }
        if before == (courses.clone(), brought.clone(), wanted.clone()) {
            return Flow { courses, wanted };
        }
    }
}

/// What components say of themselves, with their configurations.
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

    /// What of these signals leaves a component again.
    fn passes(&self, placed: &Placed, signals: SignalSet) -> SignalSet {
        signals.without(self.sections[placed].signals.absorbs)
    }
}

fn taken(draft: &Draft) -> SignalSet {
    draft
        .signal
        .map_or(SignalSet::ALL, |signal| SignalSet::of(&[signal]))
}

fn forwards(
    draft: &Draft,
    course: &mut Course,
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
    course.enters = arrives.intersection(taken(draft));
    course.leaves = course.enters;
    course.after.clear();
    for (processor, _) in &draft.processors {
        course.leaves = signals.after(processor, course.leaves);
        course.after.push(course.leaves);
    }
    for (exporter, _) in &draft.exporters {
        if exporter.0 == Class::Connector {
            let out = signals.after(exporter, course.leaves);
            let all = brought.entry(exporter.clone()).or_default();
            *all = all.union(out);
        }
    }
}

fn backwards(
    draft: &Draft,
    course: &mut Course,
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
    course.wanted = vec![SignalSet::NONE; draft.processors.len()];
    for (index, (processor, _)) in draft.processors.iter().enumerate().rev() {
        let behind = after.union(TO_THE_ENGINE);
        course.wanted[index] = behind;
        let all = wanted.entry(processor.clone()).or_default();
        *all = all.union(behind);
        after = signals
            .passes(processor, after)
            .union(signals.accepts(processor));
    }
    course.wanted_first = after;
    for (receiver, _) in &draft.receivers {
        let all = wanted.entry(receiver.clone()).or_default();
        *all = all.union(after.intersection(taken(draft)));
    }
}

/// Receivers that cannot bring a pipeline's signal, and exporters that nothing can reach.
pub(super) fn mismatches(
    drafts: &[Draft],
    flow: &Flow,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) {
    let signals = Signals { sections };
    for (draft, course) in drafts.iter().zip(&flow.courses) {
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
        // Where something is missing, what arrives is not known.
        if !draft.whole || mismatch {
            continue;
        }
        for (exporter, place) in &draft.exporters {
            let accepts = signals.accepts(exporter);
            if exporter.0 == Class::Exporter
                && !accepts.is_empty()
                && accepts.intersection(course.leaves).is_empty()
            {
                let message = format!(
                    "{at}: exporter \"{}\" accepts {}, but what reaches it is {}",
                    exporter.1,
                    listed(accepts),
                    listed(course.leaves)
                );
                problems.push(Problem::new(place, message));
            }
        }
    }
}

/// Signals that are made and that nobody accepts, and ids that were perhaps meant as a signal.
pub(super) fn notes(drafts: &[Draft], flow: &Flow, sections: &Sections<'_>) -> Vec<String> {
    let signals = Signals { sections };
    let mut notes = Vec::new();
    for (draft, course) in drafts.iter().zip(&flow.courses) {
        let at = format!("service::pipelines::{}", draft.id);
        if draft.signal.is_none()
            && let Some(meant) = nearest(draft.id.kind(), Signal::ALL.map(Signal::name))
        {
            notes.push(format!(
                "{at}: takes every signal, since its type is none; {meant} alone if it is called \"{meant}\""
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
        let used = course.wanted_first.union(last).union(TO_THE_ENGINE);
        let lost: Vec<Signal> = course
            .leaves
            .iter()
            .filter(|signal| !used.contains(*signal))
            .collect();
        let lost = SignalSet::of(&lost);
        if !lost.is_empty() {
            notes.push(format!("{at}: nobody accepts {}", listed(lost)));
        }
        let mut arrives = course.enters;
        for (processor, _) in &draft.processors {
            let accepts = signals.accepts(processor);
            if !accepts.is_empty() && accepts.intersection(arrives).is_empty() {
                let id = &processor.1;
                notes.push(format!(
                    "{at}: processor \"{id}\" has nothing to do: it looks at {}",
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
