//! Reads the sections of components: their ids, types and configurations.

use std::collections::BTreeMap;

use super::ComponentKey;
use crate::SignalSet;
use crate::component::ComponentId;
use crate::config::{Problem, SourcePosition, YamlNode, schema};
use crate::exporter_settings::ExporterSettings;
use crate::registry::{ComponentClass, ComponentSignals, Factory, Registry};

/// A component as configured in its section.
#[derive(Debug)]
pub(super) struct ConfiguredComponent<'a> {
    pub(super) position: SourcePosition,
    /// `None` if the type is unknown, which is reported as a problem.
    pub(super) factory: Option<&'a Factory>,
    pub(super) config: YamlNode,
    /// The signals that it accepts and produces. A component of unknown type accepts and produces all signals.
    pub(super) signals: ComponentSignals,
    pub(super) notes: Vec<String>,
    /// The settings that all exporters share; `None` for other components.
    pub(super) settings: Option<ExporterSettings>,
    /// The graph stores that the configuration names.
    pub(super) stores: Vec<schema::NamedStore>,
}

/// All configured components.
pub(super) type Sections<'a> = BTreeMap<ComponentKey, ConfiguredComponent<'a>>;

/// Reads all five sections and adds their problems to `problems`.
pub(super) fn read<'a>(
    root: &YamlNode,
    registry: &'a Registry,
    problems: &mut Vec<Problem>,
) -> Sections<'a> {
    let mut sections = Sections::new();
    for class in ComponentClass::ALL {
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
                    problems.push(Problem::new(&entry.position, error.to_string()));
                    continue;
                }
            };
            let key = (class, id);
            if sections.contains_key(&key) {
                let message = format!("duplicate {} {:?}", class.singular(), entry.key);
                problems.push(Problem::new(&entry.position, message));
                continue;
            }
            let configured =
                read_component(&key, &entry.position, &entry.value, registry, problems);
            sections.insert(key, configured);
        }
    }
    sections
}

/// Whether a value is a map. Reports any other value except null, which is valid as an empty map.
pub(super) fn is_map(node: &YamlNode, name: &str, problems: &mut Vec<Problem>) -> bool {
    if node.is_map() {
        return true;
    }
    if !node.is_null() && !node.has_invalid() {
        let message = format!("{name}: expected a map, found {}", node.describe());
        problems.push(Problem::new(node.position(), message));
    }
    false
}

fn read_component<'a>(
    (class, id): &ComponentKey,
    position: &SourcePosition,
    node: &YamlNode,
    registry: &'a Registry,
    problems: &mut Vec<Problem>,
) -> ConfiguredComponent<'a> {
    let mut configured = ConfiguredComponent {
        position: position.clone(),
        factory: registry.find(*class, id.kind()),
        config: node.clone(),
        signals: ComponentSignals {
            accepts: SignalSet::ALL,
            produces: SignalSet::ALL,
            absorbs: SignalSet::NONE,
        },
        notes: Vec::new(),
        settings: (*class == ComponentClass::Exporter).then(ExporterSettings::default),
        stores: Vec::new(),
    };
    let Some(factory) = configured.factory else {
        problems.push(unknown_type(*class, id, position, registry));
        return configured;
    };
    configured.signals = factory.signals;
    let settings_schema = schemars::schema_for!(ExporterSettings);
    let mut settings_keys = Vec::new();
    if *class == ComponentClass::Exporter {
        settings_keys = schema::keys(&settings_schema);
        let (settings, config) = node.split(|key| settings_keys.contains(&key));
        let invalid_settings = schema::check(&settings, &settings_schema, &[]).problems;
        if invalid_settings.is_empty() && !settings.has_invalid() {
            match settings.decode() {
                Ok(settings) => configured.settings = Some(settings),
                Err(error) => problems.push(error.problem(position)),
            }
        }
        problems.extend(invalid_settings);
        configured.config = config;
    }
    let checked = schema::check(&configured.config, &factory.schema, &settings_keys);
    configured.stores = checked.stores;
    if checked.problems.is_empty() && !configured.config.has_invalid() {
        match (factory.check)(&configured.config) {
            Ok(config_check) => {
                configured.signals = config_check.signals.unwrap_or(configured.signals);
                configured.notes = config_check.notes;
                problems.extend(config_check.problems);
            }
            Err(error) => problems.push(error.problem(position)),
        }
    }
    problems.extend(checked.problems);
    configured
}

fn unknown_type(
    class: ComponentClass,
    id: &ComponentId,
    position: &SourcePosition,
    registry: &Registry,
) -> Problem {
    if let Some(advice) = registry.advice_for_missing(class, id.kind()) {
        let message = format!(
            "{}: type \"{}\" is not in this binary: {advice}",
            class.section(),
            id.kind()
        );
        return Problem::new(position, message);
    }
    let known: Vec<&str> = registry
        .of_class(class)
        .map(|factory| factory.kind)
        .collect();
    let message = format!(
        "{}: unknown type: \"{}\" for id: \"{id}\" (valid values: [{}])",
        class.section(),
        id.kind(),
        known.join(" ")
    );
    let spellings = registry
        .of_class(class)
        .flat_map(|factory| factory.aliases.iter().copied().chain([factory.kind]));
    Problem::new(position, message).suggest(id.kind(), spellings)
}
