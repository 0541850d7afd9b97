//! Reads `service.pipelines` and `service.extensions`, and resolves the ids of components.

use super::sections::{Sections, is_map};
use crate::Signal;
use crate::component::ComponentId;
use crate::config::{Problem, SourcePosition, YamlNode};
use crate::registry::ComponentClass;

use super::ComponentKey;

/// A component that a pipeline names, and the position of the name.
pub(super) type ComponentReference = (ComponentKey, SourcePosition);

/// A pipeline whose ids of components are resolved.
#[derive(Debug)]
pub(super) struct ResolvedPipeline {
    pub(super) id: ComponentId,
    pub(super) signal: Option<Signal>,
    pub(super) receivers: Vec<ComponentReference>,
    pub(super) processors: Vec<ComponentReference>,
    pub(super) exporters: Vec<ComponentReference>,
    /// Whether all components of the pipeline are configured and of known types. Otherwise its signals are unknown.
    pub(super) is_complete: bool,
}

/// Reads all pipelines and adds their problems to `problems`.
pub(super) fn read(
    service: &YamlNode,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<ResolvedPipeline> {
    let mut resolved: Vec<ResolvedPipeline> = Vec::new();
    let Some(pipelines) = service.get("pipelines") else {
        let message = "service::pipelines: at least one pipeline is needed";
        problems.push(Problem::new(service.position(), message));
        return resolved;
    };
    if !is_map(pipelines, "service::pipelines", problems) || pipelines.entries().is_empty() {
        if !pipelines.has_invalid() && (pipelines.is_map() || pipelines.is_null()) {
            let message = "service::pipelines: at least one pipeline is needed";
            problems.push(Problem::new(pipelines.position(), message));
        }
        return resolved;
    }
    for entry in pipelines.entries() {
        let id = match entry.key.parse::<ComponentId>() {
            Ok(id) => id,
            Err(error) => {
                let message = format!("service::pipelines: {error}");
                problems.push(Problem::new(&entry.position, message));
                continue;
            }
        };
        if resolved.iter().any(|pipeline| pipeline.id == id) {
            let message = format!("service::pipelines: duplicate pipeline {:?}", entry.key);
            problems.push(Problem::new(&entry.position, message));
            continue;
        }
        resolved.push(resolve_pipeline(
            id,
            &entry.position,
            &entry.value,
            sections,
            problems,
        ));
    }
    resolved
}

/// Signals of OpenTelemetry that airdig lacks. A pipeline with another unknown type carries every signal, so one of these
/// would process all traces, metrics and logs a second time.
const UNSUPPORTED_SIGNALS: [&str; 1] = ["profiles"];

fn resolve_pipeline(
    id: ComponentId,
    position: &SourcePosition,
    node: &YamlNode,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> ResolvedPipeline {
    let at = format!("service::pipelines::{id}");
    let problems_before = problems.len();
    if UNSUPPORTED_SIGNALS.contains(&id.kind()) {
        let signal = id.kind();
        let message = format!(
            "{at}: the signal \"{signal}\" is not supported: remove the pipeline. With another name, it would \
             carry every signal of its receivers"
        );
        problems.push(Problem::new(position, message));
    }
    if is_map(node, &at, problems) {
        report_unknown_keys(
            node,
            &at,
            &["receivers", "processors", "exporters"],
            problems,
        );
    }
    let mut list = |class: ComponentClass, key: &str| {
        node.get(key).map_or_else(Vec::new, |list| {
            references(list, class, &at, sections, problems)
        })
    };
    let receivers = list(ComponentClass::Receiver, "receivers");
    let processors = list(ComponentClass::Processor, "processors");
    let exporters = list(ComponentClass::Exporter, "exporters");
    for (key, singular) in [("receivers", "receiver"), ("exporters", "exporter")] {
        let is_empty = node
            .get(key)
            .is_none_or(|list| list.is_null() || (list.is_list() && list.items().is_empty()));
        if is_empty && (node.is_map() || node.is_null()) {
            let message = format!("{at}: must have at least one {singular}");
            problems.push(Problem::new(position, message));
        }
    }
    let has_known_types = [&receivers, &processors, &exporters]
        .into_iter()
        .flatten()
        .all(|(key, _)| sections[key].factory.is_some());
    ResolvedPipeline {
        signal: id.kind().parse().ok(),
        id,
        receivers,
        processors,
        exporters,
        is_complete: problems.len() == problems_before && has_known_types && !node.has_invalid(),
    }
}

/// Reports keys that are not in `known`.
pub(super) fn report_unknown_keys(
    node: &YamlNode,
    at: &str,
    known: &[&str],
    problems: &mut Vec<Problem>,
) {
    for entry in node.entries() {
        if !known.contains(&&*entry.key) {
            let prefix = format!("{at}: ");
            problems.push(Problem::unknown_key(
                &entry.position,
                &prefix,
                &entry.key,
                known,
            ));
        }
    }
}

/// Resolves a list of ids. A list of receivers or exporters may name connectors.
pub(super) fn references(
    list: &YamlNode,
    class: ComponentClass,
    at: &str,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<ComponentReference> {
    let mut resolved: Vec<ComponentReference> = Vec::new();
    if !list.is_list() && !list.is_null() && !list.has_invalid() {
        let section = class.section();
        let message = format!(
            "{at}: {section}: expected a list of ids, found {}",
            list.describe()
        );
        problems.push(Problem::new(list.position(), message));
    }
    for item in list.items() {
        if item.has_invalid() {
            continue;
        }
        let Some(text) = item.display_text() else {
            let message = format!("{at}: expected an id, found {}", item.describe());
            problems.push(Problem::new(item.position(), message));
            continue;
        };
        let parsed = item.text().unwrap_or_default().parse::<ComponentId>();
        let class_name = class.singular();
        let Some(key) = parsed.ok().and_then(|id| resolve(class, id, sections)) else {
            let message =
                format!("{at}: references {class_name} \"{text}\" which is not configured");
            let names: Vec<String> = candidates(class, sections).collect();
            let names = names.iter().map(String::as_str);
            problems.push(Problem::new(item.position(), message).suggest(text, names));
            continue;
        };
        if resolved.iter().any(|(other, _)| *other == key) {
            let message = format!("{at}: references {class_name} \"{text}\" multiple times");
            problems.push(Problem::new(item.position(), message));
            continue;
        }
        resolved.push((key, item.position().clone()));
    }
    resolved
}

/// Whether a connector may be named in place of a component of this class.
fn accepts_connector(class: ComponentClass) -> bool {
    matches!(class, ComponentClass::Receiver | ComponentClass::Exporter)
}

fn resolve(
    class: ComponentClass,
    id: ComponentId,
    sections: &Sections<'_>,
) -> Option<ComponentKey> {
    let key = (class, id);
    if sections.contains_key(&key) {
        return Some(key);
    }
    let connector = (ComponentClass::Connector, key.1);
    (accepts_connector(class) && sections.contains_key(&connector)).then_some(connector)
}

/// The ids that a list of components of this class may contain.
fn candidates(class: ComponentClass, sections: &Sections<'_>) -> impl Iterator<Item = String> {
    sections
        .keys()
        .filter(move |(other, _)| {
            *other == class || (accepts_connector(class) && *other == ComponentClass::Connector)
        })
        .map(|(_, id)| id.to_string())
}
