//! Determines the order in which components are built, and reports cycles between them.

use std::collections::{BTreeMap, BTreeSet};

use super::ComponentKey;
use super::pipelines::ResolvedPipeline;
use super::sections::Sections;
use crate::config::{Problem, SourcePosition};
use crate::registry::ComponentClass;

/// A node of the dependency graph. A component depends on the stores that it names, a connector on the pipelines to
/// which it sends, and a pipeline on the connectors to which it sends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum DependencyNode {
    Component(ComponentKey),
    Pipeline(usize),
}

/// For each node, the nodes on which it depends. Each has the position in the file that declares the dependency.
type Dependencies = BTreeMap<DependencyNode, Vec<(DependencyNode, SourcePosition)>>;

/// Sorts the used components by class: extensions, exporters, connectors, processors, receivers. If a component depends
/// on another component, the other comes first. Adds cycles to `problems`.
pub(super) fn build_order(
    used: &BTreeSet<ComponentKey>,
    pipelines: &[ResolvedPipeline],
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<ComponentKey> {
    let dependencies = dependencies(pipelines, sections);
    let classes = [
        ComponentClass::Extension,
        ComponentClass::Exporter,
        ComponentClass::Connector,
        ComponentClass::Processor,
        ComponentClass::Receiver,
    ];
    let mut walk = DependencyWalk {
        dependencies: &dependencies,
        pipelines,
        done: BTreeSet::new(),
        order: Vec::new(),
        problems,
    };
    for class in classes {
        for key in used.iter().filter(|key| key.0 == class) {
            walk.visit(DependencyNode::Component(key.clone()));
        }
    }
    // Visiting the unused components reports their cycles.
    let order = walk.order.clone();
    for key in sections.keys() {
        walk.visit(DependencyNode::Component(key.clone()));
    }
    order
}

fn dependencies(pipelines: &[ResolvedPipeline], sections: &Sections<'_>) -> Dependencies {
    let mut dependencies = Dependencies::new();
    for (key, configured) in sections {
        for named in &configured.stores {
            let store = (ComponentClass::Exporter, named.id.clone());
            if sections.contains_key(&store) {
                dependencies
                    .entry(DependencyNode::Component(key.clone()))
                    .or_default()
                    .push((DependencyNode::Component(store), named.position.clone()));
            }
        }
    }
    for (index, pipeline) in pipelines.iter().enumerate() {
        let connectors = |references: &[(ComponentKey, SourcePosition)]| -> Vec<(DependencyNode, SourcePosition)> {
            references
                .iter()
                .filter(|(key, _)| key.0 == ComponentClass::Connector)
                .map(|(key, position)| (DependencyNode::Component(key.clone()), position.clone()))
                .collect()
        };
        dependencies.insert(
            DependencyNode::Pipeline(index),
            connectors(&pipeline.exporters),
        );
        for (connector, position) in connectors(&pipeline.receivers) {
            dependencies
                .entry(connector)
                .or_default()
                .push((DependencyNode::Pipeline(index), position));
        }
    }
    dependencies
}

/// The state of the depth-first search.
struct DependencyWalk<'a> {
    dependencies: &'a Dependencies,
    pipelines: &'a [ResolvedPipeline],
    done: BTreeSet<DependencyNode>,
    order: Vec<ComponentKey>,
    problems: &'a mut Vec<Problem>,
}

impl DependencyWalk<'_> {
    /// Visits all dependencies of `start`, depth first. It does not recurse, since a long chain would exhaust the
    /// stack.
    fn visit(&mut self, start: DependencyNode) {
        if self.done.contains(&start) {
            return;
        }
        let mut on_path = BTreeSet::from([start.clone()]);
        let mut path = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            let dependency = self
                .dependencies
                .get(node)
                .and_then(|targets| targets.get(*next));
            *next += 1;
            match dependency {
                Some((target, position)) if on_path.contains(target) => {
                    let cycle = path
                        .iter()
                        .map(|(node, _)| node)
                        .skip_while(|node| *node != target)
                        .chain([target]);
                    let names: Vec<String> = cycle.map(|node| self.name(node)).collect();
                    let message = format!("cycle: {}", names.join(" -> "));
                    self.problems.push(Problem::new(position, message));
                }
                Some((target, _)) if !self.done.contains(target) => {
                    on_path.insert(target.clone());
                    path.push((target.clone(), 0));
                }
                Some(_) => {}
                None => {
                    let node = node.clone();
                    path.pop();
                    on_path.remove(&node);
                    if let DependencyNode::Component(key) = &node {
                        self.order.push(key.clone());
                    }
                    self.done.insert(node);
                }
            }
        }
    }

    fn name(&self, node: &DependencyNode) -> String {
        match node {
            DependencyNode::Component((class, id)) => format!("{} \"{id}\"", class.singular()),
            DependencyNode::Pipeline(index) => {
                format!("pipeline \"{}\"", self.pipelines[*index].id)
            }
        }
    }
}
