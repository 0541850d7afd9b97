//! Checks a configuration and converts it to a topology. Reports all problems, not only the first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::pipelines::{self, ResolvedPipeline, report_unknown_keys};
use super::sections::{self, ConfiguredComponent, Sections, is_map};
use super::{ComponentKey, ComponentSpec, Pipeline, Telemetry, Topology, flow, order};
use crate::config::{Problem, YamlNode, schema};
use crate::registry::{ComponentClass, Registry};

/// Does all checks that are possible without building components: of ids, types, configurations, references, cycles
/// and signals.
///
/// # Errors
/// All problems, sorted by position.
pub fn check(root: &YamlNode, registry: &Registry) -> Result<Topology, Vec<Problem>> {
    let mut problems = Vec::new();
    if is_map(root, "configuration", &mut problems) {
        let section_names: Vec<&str> = ComponentClass::ALL
            .iter()
            .map(|class| class.section())
            .chain(["service"])
            .collect();
        report_unknown_keys(root, "configuration", &section_names, &mut problems);
    }
    let sections = sections::read(root, registry, &mut problems);
    let no_service = YamlNode::empty();
    let service = root.get("service");
    if let Some(service) = service
        && is_map(service, "service", &mut problems)
    {
        report_unknown_keys(
            service,
            "service",
            &["pipelines", "extensions", "telemetry"],
            &mut problems,
        );
    }
    if service.is_none() && problems.is_empty() {
        problems.push(Problem::new(
            root.position(),
            "key \"service\" is missing; it lists the pipelines",
        ));
    }
    let service = service.unwrap_or(&no_service);
    let resolved = if service.position() == no_service.position() {
        Vec::new()
    } else {
        pipelines::read(service, &sections, &mut problems)
    };
    let extensions = service.get("extensions").map_or_else(Vec::new, |list| {
        pipelines::references(
            list,
            ComponentClass::Extension,
            "service::extensions",
            &sections,
            &mut problems,
        )
    });
    let telemetry = telemetry(service, &mut problems);
    check_stores(&sections, &mut problems);
    check_connectors(&resolved, &mut problems);

    let flow = flow::propagate(&resolved, &sections);
    flow::mismatches(&resolved, &flow, &sections, &mut problems);
    let used = used(
        &resolved,
        extensions.into_iter().map(|(key, _)| key),
        &sections,
    );
    let build_order = order::build_order(&used, &resolved, &sections, &mut problems);
    if !problems.is_empty() {
        problems.sort();
        problems.dedup();
        return Err(problems);
    }

    let mut notes: Vec<String> = sections
        .iter()
        .filter(|(key, _)| !used.contains(key))
        .map(|((class, id), configured)| {
            let class = class.singular();
            format!(
                "{}: {class} \"{id}\" is configured, but not used in any pipeline or service::extensions",
                configured.position
            )
        })
        .collect();
    for ((class, id), configured) in &sections {
        let (position, class) = (&configured.position, class.singular());
        let of_component = configured.notes.iter();
        notes.extend(of_component.map(|note| format!("{position}: {class} \"{id}\" {note}")));
    }
    notes.extend(flow::notes(&resolved, &flow, &sections));
    let components: BTreeMap<ComponentKey, ComponentSpec> = sections
        .into_iter()
        .filter(|(key, _)| used.contains(key))
        .map(|(key, configured)| {
            let spec = ComponentSpec {
                config: configured.config,
                signals: configured.signals,
                accepted_downstream: flow
                    .accepted_downstream
                    .get(&key)
                    .copied()
                    .unwrap_or_default(),
                settings: configured.settings,
            };
            (key, spec)
        })
        .collect();
    let pipelines = resolved
        .into_iter()
        .zip(flow.flows)
        .map(|(pipeline, signal_flow)| Pipeline {
            id: pipeline.id,
            signal: pipeline.signal,
            receivers: pipeline.receivers.into_iter().map(|(key, _)| key).collect(),
            processors: pipeline
                .processors
                .into_iter()
                .map(|(key, _)| key.1)
                .collect(),
            exporters: pipeline.exporters.into_iter().map(|(key, _)| key).collect(),
            accepted_after: signal_flow.accepted_after,
            enters: signal_flow.enters,
            signals_after: signal_flow.signals_after,
        })
        .collect();
    Ok(Topology {
        components,
        build_order,
        pipelines,
        telemetry,
        notes,
    })
}

/// Reports references to exporters that are not configured or are not graph stores.
fn check_stores(sections: &Sections<'_>, problems: &mut Vec<Problem>) {
    // An exporter of unknown type may be a graph store. Its type was reported already.
    let is_graph_store = |exporter: &ConfiguredComponent<'_>| {
        exporter
            .factory
            .is_none_or(|factory| factory.is_graph_store)
    };
    let exporters = sections.iter().filter(|((class, _), configured)| {
        *class == ComponentClass::Exporter && is_graph_store(configured)
    });
    let exporters: Vec<String> = exporters.map(|((_, id), _)| id.to_string()).collect();
    for ((class, id), configured) in sections {
        for store in &configured.stores {
            let reason = match sections.get(&(ComponentClass::Exporter, store.id.clone())) {
                Some(exporter) if is_graph_store(exporter) => continue,
                Some(_) => "is not a graph store",
                None => "is not configured",
            };
            let message = format!(
                "{}::{id}: references exporter \"{}\" which {reason}",
                class.section(),
                store.display_text
            );
            let names = exporters.iter().map(String::as_str);
            problems
                .push(Problem::new(&store.position, message).suggest(&store.display_text, names));
        }
    }
}

/// Reports connectors that are not both an exporter of one pipeline and a receiver of another.
fn check_connectors(resolved: &[ResolvedPipeline], problems: &mut Vec<Problem>) {
    let sides = [("exporter", "receiver"), ("receiver", "exporter")];
    for (index, (side, other)) in sides.into_iter().enumerate() {
        let references = |pipeline: &ResolvedPipeline, on_this_side: bool| {
            let references = if on_this_side == (index == 0) {
                &pipeline.exporters
            } else {
                &pipeline.receivers
            };
            references.clone()
        };
        let on_other_side: BTreeSet<ComponentKey> = resolved
            .iter()
            .flat_map(|pipeline| references(pipeline, false))
            .map(|(key, _)| key)
            .collect();
        for pipeline in resolved {
            for (key, position) in references(pipeline, true) {
                if key.0 == ComponentClass::Connector && !on_other_side.contains(&key) {
                    let message = format!(
                        "service::pipelines::{}: connector \"{}\" used as {side} in this pipeline but \
                         not used in any pipeline as {other}",
                        pipeline.id, key.1
                    );
                    problems.push(Problem::new(&position, message));
                }
            }
        }
    }
}

/// The components that pipelines and `service.extensions` name, and the stores that these components name.
fn used(
    resolved: &[ResolvedPipeline],
    extensions: impl Iterator<Item = ComponentKey>,
    sections: &Sections<'_>,
) -> BTreeSet<ComponentKey> {
    let mut used = BTreeSet::new();
    let named = resolved.iter().flat_map(|pipeline| {
        let all = pipeline
            .receivers
            .iter()
            .chain(&pipeline.processors)
            .chain(&pipeline.exporters);
        all.map(|(key, _)| key.clone())
    });
    let mut unvisited: Vec<ComponentKey> = extensions.chain(named).collect();
    while let Some(key) = unvisited.pop() {
        let Some(configured) = sections.get(&key) else {
            continue;
        };
        if used.insert(key) {
            let stores = configured.stores.iter();
            unvisited.extend(stores.map(|store| (ComponentClass::Exporter, store.id.clone())));
        }
    }
    used
}

/// `service.telemetry` as written in the file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct TelemetryConfig {
    logs: LogsConfig,
    metrics: MetricsConfig,
}

/// `service.telemetry.logs`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct LogsConfig {
    level: Option<String>,
}

/// `service.telemetry.metrics`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct MetricsConfig {
    address: Option<String>,
}

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// Reads `service.telemetry` and adds its problems to `problems`.
fn telemetry(service: &YamlNode, problems: &mut Vec<Problem>) -> Telemetry {
    let mut telemetry = Telemetry::default();
    let Some(node) = service.get("telemetry") else {
        return telemetry;
    };
    let invalid = schema::check(node, &schemars::schema_for!(TelemetryConfig), &[]).problems;
    if !invalid.is_empty() || node.has_invalid() {
        problems.extend(invalid);
        return telemetry;
    }
    let config: TelemetryConfig = match node.decode() {
        Ok(config) => config,
        Err(error) => {
            problems.push(error.problem(node.position()));
            return telemetry;
        }
    };
    let position = |section: &str, key: &str| {
        let value = node.get(section).and_then(|section| section.get(key));
        value.unwrap_or(node).position()
    };
    if let Some(level) = config.logs.level.map(|level| level.to_lowercase()) {
        if LEVELS.contains(&level.as_str()) {
            telemetry.log_level = Some(level);
        } else {
            let message = format!("expected one of {}", LEVELS.join(", "));
            problems.push(Problem::new(position("logs", "level"), message));
        }
    }
    if let Some(address) = config.metrics.address {
        match socket_address(&address) {
            Some(address) => telemetry.metrics_address = Some(address),
            None => {
                let message = "expected an address such as 127.0.0.1:8888";
                problems.push(Problem::new(position("metrics", "address"), message));
            }
        }
    }
    telemetry
}

/// Parses an address. As in Go, `:8888` is port 8888 on all interfaces. `localhost` is 127.0.0.1.
fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix(':') {
        return format!("0.0.0.0:{port}").parse().ok();
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return format!("127.0.0.1:{port}").parse().ok();
    }
    text.parse().ok()
}
