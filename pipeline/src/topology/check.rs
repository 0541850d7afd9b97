//! Checks a configuration and makes a topology of it. All problems are reported at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::pipelines::{self, Draft, known_keys};
use super::sections::{self, Configured, Sections, is_map};
use super::{Declared, Pipeline, Placed, Telemetry, Topology, flow, order};
use crate::config::{Node, Problem, schema};
use crate::registry::{Class, Registry};

/// Checks all that can be checked without building components: ids, types, configurations, references, cycles
/// and signals.
///
/// # Errors
/// All problems, in the order of their places.
pub fn check(root: &Node, registry: &Registry) -> Result<Topology, Vec<Problem>> {
    let mut problems = Vec::new();
    if is_map(root, "configuration", &mut problems) {
        let known: Vec<&str> = Class::ALL
            .iter()
            .map(|class| class.section())
            .chain(["service"])
            .collect();
        known_keys(root, "configuration", &known, &mut problems);
    }
    let sections = sections::read(root, registry, &mut problems);
    let nothing = Node::empty();
    let service = root.get("service");
    if let Some(service) = service
        && is_map(service, "service", &mut problems)
    {
        known_keys(
            service,
            "service",
            &["pipelines", "extensions", "telemetry"],
            &mut problems,
        );
    }
    if service.is_none() && problems.is_empty() {
        problems.push(Problem::new(root.place(), "key \"service\" is missing"));
    }
    let service = service.unwrap_or(&nothing);
    let drafts = if service.place() == nothing.place() {
        Vec::new()
    } else {
        pipelines::read(service, &sections, &mut problems)
    };
    let extensions = service.get("extensions").map_or_else(Vec::new, |list| {
        pipelines::references(
            list,
            Class::Extension,
            "service::extensions",
            &sections,
            &mut problems,
        )
    });
    let telemetry = telemetry(service, &mut problems);
    wrong_stores(&sections, &mut problems);
    one_sided_connectors(&drafts, &mut problems);

    let flow = flow::follow(&drafts, &sections);
    flow::mismatches(&drafts, &flow, &sections, &mut problems);
    let used = used(
        &drafts,
        extensions.into_iter().map(|(placed, _)| placed),
        &sections,
    );
    let build_order = order::build_order(&used, &drafts, &sections, &mut problems);
    if !problems.is_empty() {
        problems.sort();
        problems.dedup();
        return Err(problems);
    }

    let mut notes: Vec<String> = sections
        .iter()
        .filter(|(placed, _)| !used.contains(placed))
        .map(|((class, id), configured)| {
            let one = class.singular();
            format!(
                "{}: {one} \"{id}\" is configured, but not used in any pipeline or service::extensions",
                configured.place
            )
        })
        .collect();
    for ((class, id), configured) in &sections {
        let (at, one) = (&configured.place, class.singular());
        let own = configured.notes.iter();
        notes.extend(own.map(|note| format!("{at}: {one} \"{id}\" {note}")));
    }
    notes.extend(flow::notes(&drafts, &flow, &sections));
    let components: BTreeMap<Placed, Declared> = sections
        .into_iter()
        .filter(|(placed, _)| used.contains(placed))
        .map(|(placed, configured)| {
            let declared = Declared {
                config: configured.config,
                signals: configured.signals,
                wanted: flow.wanted.get(&placed).copied().unwrap_or_default(),
                settings: configured.settings,
            };
            (placed, declared)
        })
        .collect();
    let pipelines = drafts
        .into_iter()
        .zip(flow.flows)
        .map(|(draft, signal_flow)| Pipeline {
            id: draft.id,
            signal: draft.signal,
            receivers: draft
                .receivers
                .into_iter()
                .map(|(placed, _)| placed)
                .collect(),
            processors: draft
                .processors
                .into_iter()
                .map(|(placed, _)| placed.1)
                .collect(),
            exporters: draft
                .exporters
                .into_iter()
                .map(|(placed, _)| placed)
                .collect(),
            wanted: signal_flow.wanted,
            enters: signal_flow.enters,
            after: signal_flow.after,
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

/// Reports references to stores that are not configured, or are not graph stores.
fn wrong_stores(sections: &Sections<'_>, problems: &mut Vec<Problem>) {
    // An unknown type was reported already: it may be a graph store.
    let keeps_graph = |it: &Configured<'_>| it.factory.is_none_or(|factory| factory.keeps_graph);
    let exporters = sections
        .iter()
        .filter(|((class, _), configured)| *class == Class::Exporter && keeps_graph(configured));
    let exporters: Vec<String> = exporters.map(|((_, id), _)| id.to_string()).collect();
    for ((class, id), configured) in sections {
        for store in &configured.stores {
            let reason = match sections.get(&(Class::Exporter, store.id.clone())) {
                Some(exporter) if keeps_graph(exporter) => continue,
                Some(_) => "is not a graph store",
                None => "is not configured",
            };
            let message = format!(
                "{}::{id}: references exporter \"{}\" which {reason}",
                class.section(),
                store.shown
            );
            let names = exporters.iter().map(String::as_str);
            problems.push(Problem::new(&store.place, message).suggest(&store.shown, names));
        }
    }
}

/// Reports connectors that are not both an exporter of one pipeline and a receiver of another.
fn one_sided_connectors(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let sides = [("exporter", "receiver"), ("receiver", "exporter")];
    for (index, (side, other)) in sides.into_iter().enumerate() {
        let of = |draft: &Draft, first: bool| {
            let references = if first == (index == 0) {
                &draft.exporters
            } else {
                &draft.receivers
            };
            references.clone()
        };
        let on_other_side: BTreeSet<Placed> = drafts
            .iter()
            .flat_map(|draft| of(draft, false))
            .map(|(placed, _)| placed)
            .collect();
        for draft in drafts {
            for (placed, place) in of(draft, true) {
                if placed.0 == Class::Connector && !on_other_side.contains(&placed) {
                    let message = format!(
                        "service::pipelines::{}: connector \"{}\" used as {side} in this pipeline but \
                         not used in any pipeline as {other}",
                        draft.id, placed.1
                    );
                    problems.push(Problem::new(&place, message));
                }
            }
        }
    }
}

/// The components that pipelines and `service.extensions` name, and the stores that those name.
fn used(
    drafts: &[Draft],
    extensions: impl Iterator<Item = Placed>,
    sections: &Sections<'_>,
) -> BTreeSet<Placed> {
    let mut used = BTreeSet::new();
    let named = drafts.iter().flat_map(|draft| {
        let all = draft
            .receivers
            .iter()
            .chain(&draft.processors)
            .chain(&draft.exporters);
        all.map(|(placed, _)| placed.clone())
    });
    let mut open: Vec<Placed> = extensions.chain(named).collect();
    while let Some(placed) = open.pop() {
        let Some(configured) = sections.get(&placed) else {
            continue;
        };
        if used.insert(placed) {
            let stores = configured.stores.iter();
            open.extend(stores.map(|store| (Class::Exporter, store.id.clone())));
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

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct LogsConfig {
    level: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct MetricsConfig {
    address: Option<String>,
}

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

fn telemetry(service: &Node, problems: &mut Vec<Problem>) -> Telemetry {
    let mut telemetry = Telemetry::default();
    let Some(node) = service.get("telemetry") else {
        return telemetry;
    };
    let mistakes = schema::check(node, &schemars::schema_for!(TelemetryConfig), &[]).problems;
    if !mistakes.is_empty() || node.has_unknown() {
        problems.extend(mistakes);
        return telemetry;
    }
    let written: TelemetryConfig = match node.decode() {
        Ok(written) => written,
        Err(error) => {
            problems.push(error.problem(node.place()));
            return telemetry;
        }
    };
    let place = |section: &str, key: &str| {
        let value = node.get(section).and_then(|section| section.get(key));
        value.unwrap_or(node).place()
    };
    if let Some(level) = written.logs.level.map(|level| level.to_lowercase()) {
        if LEVELS.contains(&level.as_str()) {
            telemetry.log_level = Some(level);
        } else {
            let message = format!("expected one of {}", LEVELS.join(", "));
            problems.push(Problem::new(place("logs", "level"), message));
        }
    }
    if let Some(address) = written.metrics.address {
        match socket_address(&address) {
            Some(address) => telemetry.metrics_address = Some(address),
            None => {
                let message = "expected an address such as 127.0.0.1:8888";
                problems.push(Problem::new(place("metrics", "address"), message));
            }
        }
    }
    telemetry
}

/// `:8888` is every interface, as in Go; `localhost` needs no resolver.
fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix(':') {
        return format!("0.0.0.0:{port}").parse().ok();
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return format!("127.0.0.1:{port}").parse().ok();
    }
    text.parse().ok()
}
