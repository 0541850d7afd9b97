//! `airdig validate`: is a configuration good, and what will run?

use std::fmt::Write;
use std::process::ExitCode;

use pipeline::registry::Registry;
use pipeline::topology::Topology;

use super::configuration::Arguments;
use super::print;

pub(super) fn run(arguments: &Arguments, registry: &Registry) -> ExitCode {
    match arguments.topology(registry) {
        Ok(topology) => print(&summary(&topology)),
        Err(exit) => exit,
    }
}

/// The pipelines, one a line, and the notes.
fn summary(topology: &Topology) -> String {
    let mut text = "the configuration is valid".to_owned();
    for pipeline in &topology.pipelines {
        let ids = |ids: &mut dyn Iterator<Item = String>| ids.collect::<Vec<_>>().join(", ");
        let receivers = ids(&mut pipeline.receivers.iter().map(|placed| placed.1.to_string()));
        let processors = ids(&mut pipeline.processors.iter().map(ToString::to_string));
        let exporters = ids(&mut pipeline.exporters.iter().map(|placed| placed.1.to_string()));
        let stages: Vec<String> = [receivers, processors, exporters]
            .into_iter()
            .filter(|stage| !stage.is_empty())
            .collect();
        let _ = write!(text, "\n  {}: {}", pipeline.id, stages.join(" -> "));
    }
    for note in &topology.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    text
}
