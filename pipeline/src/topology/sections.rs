//! The components that a file configures: their ids, types and configurations.

use std::collections::BTreeMap;

use super::Placed;
use crate::SignalSet;
use crate::component::ComponentId;
use crate::config::{Node, Place, Problem, schema};
use crate::engine::settings::ExporterSettings;
use crate::registry::{Class, Factory, Registry, Signals};

/// A component as configured in its section.
#[derive(Debug)]
pub(super) struct Configured<'a> {
    pub(super) place: Place,
    /// None for an unknown type, which was reported.
    pub(super) factory: Option<&'a Factory>,
    pub(super) config: Node,
    /// An unknown type accepts and produces every signal.
    pub(super) signals: Signals,
    pub(super) notes: Vec<String>,
    pub(super) settings: Option<ExporterSettings>,
    /// The graph stores that it names.
    pub(super) stores: Vec<schema::NamedStore>,
}

pub(super) type Sections<'a> = BTreeMap<Placed, Configured<'a>>;

/// Reads all five sections.
pub(super) fn read<'a>(
    root: &Node,
    registry: &'a Registry,
    problems: &mut Vec<Problem>,
) -> Sections<'a> {
    let mut sections = Sections::new();
    for class in Class::ALL {
        let Some(section) = root.get(class.section()) else {
            continue;
        };
        if !is_map(section, class.section(), problems) {
            continue;
        }
        for entry in section.entries() {
            let id = match entry.key.parse::<ComponentId>() {
                Ok(id) => id,
                Err(error) => {
                    problems.push(Problem::new(&entry.place, error.to_string()));
                    continue;
                }
            };
            let placed = (class, id);
            if sections.contains_key(&placed) {
                let message = format!("duplicate {} {:?}", class.singular(), entry.key);
                problems.push(Problem::new(&entry.place, message));
                continue;
            }
            let configured = configured(&placed, &entry.place, &entry.value, registry, problems);
            sections.insert(placed, configured);
        }
    }
    sections
}

/// Whether a value is a map; reports it if it is not. Null is an empty map.
pub(super) fn is_map(node: &Node, name: &str, problems: &mut Vec<Problem>) -> bool {
    if node.is_map() {
        return true;
    }
    if !node.is_null() && !node.has_unknown() {
        let message = format!("{name}: expected a map, found {}", node.describe());
        problems.push(Problem::new(node.place(), message));
    }
    false
}

fn configured<'a>(
    (class, id): &Placed,
    place: &Place,
    node: &Node,
    registry: &'a Registry,
    problems: &mut Vec<Problem>,
) -> Configured<'a> {
    let mut configured = Configured {
        place: place.clone(),
        factory: registry.find(*class, id.kind()),
        config: node.clone(),
        signals: Signals {
            accepts: SignalSet::ALL,
            produces: SignalSet::ALL,
            absorbs: SignalSet::NONE,
        },
        notes: Vec::new(),
        settings: (*class == Class::Exporter).then(ExporterSettings::default),
        stores: Vec::new(),
    };
    let Some(factory) = configured.factory else {
        problems.push(unknown_type(*class, id, place, registry));
        return configured;
    };
    configured.signals = factory.signals;
    let settings_schema = schemars::schema_for!(ExporterSettings);
    let mut also = Vec::new();
    if *class == Class::Exporter {
        also = schema::keys(&settings_schema);
        let (settings, own) = node.split(|key| also.contains(&key));
        let found = schema::check(&settings, &settings_schema, &[]).problems;
        if found.is_empty() && !settings.has_unknown() {
            match settings.decode() {
                Ok(settings) => configured.settings = Some(settings),
                Err(error) => problems.push(error.problem(place)),
            }
        }
        problems.extend(found);
        configured.config = own;
    }
    let found = schema::check(&configured.config, &factory.schema, &also);
    configured.stores = found.stores;
    if found.problems.is_empty() && !configured.config.has_unknown() {
        match (factory.check)(&configured.config) {
            Ok(checked) => {
                configured.signals = checked.signals.unwrap_or(configured.signals);
                configured.notes = checked.notes;
                problems.extend(checked.problems);
            }
            Err(error) => problems.push(error.problem(place)),
        }
    }
    problems.extend(found.problems);
    configured
}

fn unknown_type(class: Class, id: &ComponentId, place: &Place, registry: &Registry) -> Problem {
    if let Some(why) = registry.why_not(class, id.kind()) {
        let message = format!(
            "{}: type \"{}\" is not in this binary: {why}",
            class.section(),
            id.kind()
        );
        return Problem::new(place, message);
    }
    let known: Vec<&str> = registry.of(class).map(|factory| factory.kind).collect();
    let message = format!(
        "{}: unknown type: \"{}\" for id: \"{id}\" (valid values: [{}])",
        class.section(),
        id.kind(),
        known.join(" ")
    );
    let spellings = registry
        .of(class)
        .flat_map(|factory| factory.aliases.iter().copied().chain([factory.kind]));
    Problem::new(place, message).suggest(id.kind(), spellings)
}
