//! The order in which components are built, and cycles between them.

use std::collections::{BTreeMap, BTreeSet};

use super::Placed;
use super::pipelines::Draft;
use super::sections::Sections;
use crate::config::{Place, Problem};
use crate::registry::Class;

/// A node of the dependency graph: a component depends on the stores that it names, a connector on the
/// pipelines that it feeds, a pipeline on the connectors that it exports to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Component(Placed),
    Pipeline(usize),
}

/// The steps that a step depends on, and the places in the file where that is written.
type Edges = BTreeMap<Step, Vec<(Step, Place)>>;

/// All used components, each after those that it depends on: extensions, exporters, connectors, processors,
/// receivers. Cycles are added to `problems`.
pub(super) fn build_order(
    used: &BTreeSet<Placed>,
    drafts: &[Draft],
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Placed> {
    let edges = edges(drafts, sections);
    let classes = [
        Class::Extension,
        Class::Exporter,
        Class::Connector,
        Class::Processor,
        Class::Receiver,
    ];
    let mut walk = Walk {
        edges: &edges,
        drafts,
        done: BTreeSet::new(),
        order: Vec::new(),
        problems,
    };
    for class in classes {
        for placed in used.iter().filter(|placed| placed.0 == class) {
            walk.from(Step::Component(placed.clone()));
        }
    }
    // Components that are not used: a cycle of them is reported, too.
    let order = walk.order.clone();
    for placed in sections.keys() {
        walk.from(Step::Component(placed.clone()));
    }
    order
}

fn edges(drafts: &[Draft], sections: &Sections<'_>) -> Edges {
    let mut edges = Edges::new();
    for (placed, configured) in sections {
        for named in &configured.stores {
            let store = (Class::Exporter, named.id.clone());
            if sections.contains_key(&store) {
                edges
                    .entry(Step::Component(placed.clone()))
                    .or_default()
                    .push((Step::Component(store), named.place.clone()));
            }
        }
    }
    for (index, draft) in drafts.iter().enumerate() {
        let connectors = |references: &[(Placed, Place)]| -> Vec<(Step, Place)> {
            references
                .iter()
                .filter(|(placed, _)| placed.0 == Class::Connector)
                .map(|(placed, place)| (Step::Component(placed.clone()), place.clone()))
                .collect()
        };
        edges.insert(Step::Pipeline(index), connectors(&draft.exporters));
        for (connector, place) in connectors(&draft.receivers) {
            edges
                .entry(connector)
                .or_default()
                .push((Step::Pipeline(index), place));
        }
    }
    edges
}

struct Walk<'a> {
    edges: &'a Edges,
    drafts: &'a [Draft],
    done: BTreeSet<Step>,
    order: Vec<Placed>,
    problems: &'a mut Vec<Problem>,
}

impl Walk<'_> {
    /// Depth first, without recursion: a file may be long.
    fn from(&mut self, start: Step) {
        if self.done.contains(&start) {
            return;
        }
        let mut open = BTreeSet::from([start.clone()]);
        let mut path = vec![(start, 0)];
        while let Some((step, next)) = path.last_mut() {
            let edge = self.edges.get(step).and_then(|edges| edges.get(*next));
            *next += 1;
            match edge {
                Some((target, place)) if open.contains(target) => {
                    let cycle = path
                        .iter()
                        .map(|(step, _)| step)
                        .skip_while(|step| *step != target)
                        .chain([target]);
                    let names: Vec<String> = cycle.map(|step| self.name(step)).collect();
                    let message = format!("cycle: {}", names.join(" -> "));
                    self.problems.push(Problem::new(place, message));
                }
                Some((target, _)) if !self.done.contains(target) => {
                    open.insert(target.clone());
                    path.push((target.clone(), 0));
                }
                Some(_) => {}
                None => {
                    let step = step.clone();
                    path.pop();
                    open.remove(&step);
                    if let Step::Component(placed) = &step {
                        self.order.push(placed.clone());
                    }
                    self.done.insert(step);
                }
            }
        }
    }

    fn name(&self, step: &Step) -> String {
        match step {
            Step::Component((class, id)) => format!("{} \"{id}\"", class.singular()),
            Step::Pipeline(index) => format!("pipeline \"{}\"", self.drafts[*index].id),
        }
    }
}
