//! Whether a node exists is what a replay of all reports says, whatever the order in which they come.

use std::time::Duration;

use pipeline::claims::{Existence, Report};
use pipeline::graph_store::At;
use pipeline::reports::ReportBatch;
use pipeline::testing::graph::{Batches, History, Lateness, Replay};

use super::super::graph::Graph;

/// Histories whose completions are no later than the graph keeps them.
const LATENESS: Lateness = Lateness {
    scans: 2,
    direct: 2,
    across: 2,
    duplicates: true,
};

fn differs(reports: &[Report], batches: Batches) -> Option<String> {
    let mut graph = Graph::new(100, Duration::ZERO);
    let mut replay = Replay::new();
    for reports in reports.chunks(batches.0) {
        graph.take_in(&ReportBatch::of_reports(reports));
        reports
            .iter()
            .for_each(|report| replay.push(report.clone()));
    }
    replay.uids().into_iter().find_map(|uid| {
        let expected = replay.existence(&uid, At::Now);
        let id = graph.find(&uid);
        let is_alive = id.is_none_or(|id| graph.is_alive(id));
        let is_right = is_alive != matches!(expected, Existence::Ended(_));
        (!is_right).then(|| format!("{uid}: {expected:?}, alive {is_alive}"))
    })
}

#[test]
fn the_graph_in_memory_is_what_the_replay_says() {
    for seed in 0..150 {
        let history = History::generate(seed, 50);
        let orders = [
            history.reports.clone(),
            history.arrival_within(seed, LATENESS),
        ];
        for reports in orders {
            let batches = Batches(1 + seed as usize % 5);
            if let Some(difference) = differs(&reports, batches) {
                panic!(
                    "seed {seed}, {batches:?}\n{}\n{difference}",
                    History { reports }
                );
            }
        }
    }
}
