//! In any order of arrival, the existence of each node is the same as in a replay of all reports.

use std::time::Duration;

use pipeline::claims::{Existence, Report};
use pipeline::graph_store::AsOf;
use pipeline::reports::ReportBatch;
use pipeline::testing::graph::{Lateness, Replay, ReportHistory, ReportsPerBatch};

use crate::impact::graph::ImpactGraph;

/// Reports arrive late, but so little that the graph still has the completions that they depend on.
const LATENESS: Lateness = Lateness {
    completions: 2,
    direct: 2,
    other_streams: 2,
    duplicates: true,
};

/// Describes the first node whose existence differs from the replay's.
fn first_difference(reports: &[Report], batches: ReportsPerBatch) -> Option<String> {
    let mut graph = ImpactGraph::new(100, Duration::ZERO);
    let mut replay = Replay::new();
    for reports in reports.chunks(batches.0) {
        graph.apply(&ReportBatch::from_reports(reports));
        reports
            .iter()
            .for_each(|report| replay.push(report.clone()));
    }
    replay.uids().into_iter().find_map(|uid| {
        let expected = replay.existence(&uid, AsOf::Now);
        let id = graph.find(&uid);
        let is_alive = id.is_none_or(|id| graph.is_alive(id));
        let has_ended = matches!(expected, Existence::Ended(_));
        (is_alive == has_ended).then(|| format!("{uid}: {expected:?}, alive {is_alive}"))
    })
}

#[test]
fn existence_in_the_graph_equals_existence_in_the_replay() {
    for seed in 0..150 {
        let history = ReportHistory::generate(seed, 50);
        let orders = [
            history.reports.clone(),
            history.arrival_order_within(seed, LATENESS),
        ];
        for reports in orders {
            let batches = ReportsPerBatch(1 + seed as usize % 5);
            if let Some(difference) = first_difference(&reports, batches) {
                panic!(
                    "seed {seed}, {batches:?}\n{}\n{difference}",
                    ReportHistory { reports }
                );
            }
        }
    }
}
