//! Reads `service.pipelines` and `service.extensions`, and resolves the ids of components.

use super::sections::{Sections, is_map};
use crate::Signal;
use crate::component::ComponentId;
use crate::config::{Node, Place, Problem};
use crate::registry::Class;

use super::Placed;

/// A component that a pipeline names, and the place where it does.
pub(super) type Reference = (Placed, Place);

/// A pipeline whose references are resolved.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) id: ComponentId,
    pub(super) signal: Option<Signal>,
    pub(super) receivers: Vec<Reference>,
    pub(super) processors: Vec<Reference>,
    pub(super) exporters: Vec<Reference>,
    /// No component of it is missing or unknown, so that signals can be followed through it.
    pub(super) whole: bool,
}

/// Reads all pipelines.
pub(super) fn read(
    service: &Node,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let Some(pipelines) = service.get("pipelines") else {
        let message = "service::pipelines: at least one pipeline is needed";
        problems.push(Problem::new(service.place(), message));
        return drafts;
    };
    if !is_map(pipelines, "service::pipelines", problems) || pipelines.entries().is_empty() {
        if !pipelines.has_unknown() && (pipelines.is_map() || pipelines.is_null()) {
            let message = "service::pipelines: at least one pipeline is needed";
            problems.push(Problem::new(pipelines.place(), message));
        }
        return drafts;
    }
    for entry in pipelines.entries() {
        let id = match entry.key.parse::<ComponentId>() {
            Ok(id) => id,
            Err(error) => {
                let message = format!("service::pipelines: {error}");
                problems.push(Problem::new(&entry.place, message));
                continue;
            }
        };
        if drafts.iter().any(|draft| draft.id == id) {
            let message = format!("service::pipelines: duplicate pipeline {:?}", entry.key);
            problems.push(Problem::new(&entry.place, message));
            continue;
        }
        drafts.push(pipeline(id, &entry.place, &entry.value, sections, problems));
    }
    drafts
}

fn pipeline(
    id: ComponentId,
    place: &Place,
    node: &Node,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Draft {
    let at = format!("service::pipelines::{id}");
    let before = problems.len();
    if is_map(node, &at, problems) {
        known_keys(
            node,
            &at,
            &["receivers", "processors", "exporters"],
            problems,
        );
    }
    let mut list = |class: Class, key: &str| {
        node.get(key).map_or_else(Vec::new, |list| {
            references(list, class, &at, sections, problems)
        })
    };
    let receivers = list(Class::Receiver, "receivers");
    let processors = list(Class::Processor, "processors");
    let exporters = list(Class::Exporter, "exporters");
    for (key, one) in [("receivers", "receiver"), ("exporters", "exporter")] {
        let is_empty = node
            .get(key)
            .is_none_or(|list| list.is_null() || (list.is_list() && list.items().is_empty()));
        if is_empty && (node.is_map() || node.is_null()) {
            let message = format!("{at}: must have at least one {one}");
            problems.push(Problem::new(place, message));
        }
    }
    let all_known = [&receivers, &processors, &exporters]
        .into_iter()
        .flatten()
        .all(|(placed, _)| sections[placed].factory.is_some());
    Draft {
        signal: id.kind().parse().ok(),
        id,
        receivers,
        processors,
        exporters,
        whole: problems.len() == before && all_known && !node.has_unknown(),
    }
}

/// Reports keys that are not among the known ones.
pub(super) fn known_keys(node: &Node, at: &str, known: &[&str], problems: &mut Vec<Problem>) {
    for entry in node.entries() {
        if !known.contains(&&*entry.key) {
            let at = format!("{at}: ");
            problems.push(Problem::unknown_key(&entry.place, &at, &entry.key, known));
        }
    }
}

/// Resolves a list of ids. A connector may be named as a receiver or as an exporter.
pub(super) fn references(
    list: &Node,
    class: Class,
    at: &str,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Reference> {
    let mut resolved: Vec<Reference> = Vec::new();
    if !list.is_list() && !list.is_null() && !list.has_unknown() {
        let what = class.section();
        let message = format!(
            "{at}: {what}: expected a list of ids, found {}",
            list.describe()
        );
        problems.push(Problem::new(list.place(), message));
    }
    for item in list.items() {
        if item.has_unknown() {
            continue;
        }
        let Some(text) = item.shown() else {
            let message = format!("{at}: expected an id, found {}", item.describe());
            problems.push(Problem::new(item.place(), message));
            continue;
        };
        let parsed = item.text().unwrap_or_default().parse::<ComponentId>();
        let one = class.singular();
        let Some(placed) = parsed.ok().and_then(|id| resolve(class, id, sections)) else {
            let message = format!("{at}: references {one} \"{text}\" which is not configured");
            let names: Vec<String> = candidates(class, sections).collect();
            let names = names.iter().map(String::as_str);
            problems.push(Problem::new(item.place(), message).suggest(text, names));
            continue;
        };
        if resolved.iter().any(|(other, _)| *other == placed) {
            let message = format!("{at}: references {one} \"{text}\" multiple times");
            problems.push(Problem::new(item.place(), message));
            continue;
        }
        resolved.push((placed, item.place().clone()));
    }
    resolved
}

fn is_end(class: Class) -> bool {
    matches!(class, Class::Receiver | Class::Exporter)
}

fn resolve(class: Class, id: ComponentId, sections: &Sections<'_>) -> Option<Placed> {
    let placed = (class, id);
    if sections.contains_key(&placed) {
        return Some(placed);
    }
    let connector = (Class::Connector, placed.1);
    (is_end(class) && sections.contains_key(&connector)).then_some(connector)
}

fn candidates(class: Class, sections: &Sections<'_>) -> impl Iterator<Item = String> {
    sections
        .keys()
        .filter(move |(other, _)| *other == class || (is_end(class) && *other == Class::Connector))
        .map(|(_, id)| id.to_string())
}
