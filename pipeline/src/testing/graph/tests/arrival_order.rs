//! Tests of the generated orders of arrival: the answers of the replay do not depend on the order.

use crate::claims::{ClaimClass, Existence, Report};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::testing::graph::{Lateness, MAX_LATENESS, Replay, ReportHistory, minimise};

use super::reports::{at, delete_event, replay, row, scan};

/// Source, scope and state.
type Version = (String, String, u64);

/// All intervals of a replay, and its existences, values and snapshots now, at each time, and one nanosecond before and
/// after each time. Equal consecutive answers are listed once.
fn all_answers(replay: &Replay, times: &[UnixNanos]) -> Vec<String> {
    let around = |time: &UnixNanos| {
        let times = [time.0 - 1, time.0, time.0 + 1];
        times.map(|time| AsOf::Time(UnixNanos(time)))
    };
    let moments: Vec<AsOf> = times.iter().flat_map(around).chain([AsOf::Now]).collect();
    let mut answers = Vec::new();
    for uid in replay.uids() {
        for (class, source, scope) in replay.keys(&uid) {
            let intervals = replay.intervals(&uid, class, &source, &scope);
            answers.push(format!("{uid} {class:?} {source} {scope} {intervals:?}"));
        }
        let mut last = String::new();
        for moment in &moments {
            let existence: Existence = replay.existence(&uid, *moment);
            let values: Vec<Option<Version>> = ClaimClass::ALL
                .map(|class| replay.value(&uid, class, *moment))
                .into();
            let snapshots = replay.snapshots(&uid, *moment);
            let answer = format!("{existence:?} {values:?} {snapshots:?}");
            if answer != last {
                answers.push(format!("{uid} {moment:?} {answer}"));
                last = answer;
            }
        }
    }
    answers
}

fn assert_same_answers(history: &ReportHistory, arrival: Vec<Report>, seed: u64) {
    let times = history.times();
    let expected = all_answers(&replay(history.reports.clone()), &times);
    let arrived = replay(arrival);
    assert_eq!(arrived.late_completions(), 0, "seed {seed}\n{history}");
    assert_eq!(
        all_answers(&arrived, &times),
        expected,
        "seed {seed}\n{history}"
    );
}

#[test]
fn order_of_arrival_does_not_change_answers() {
    for seed in 0..24 {
        let history = ReportHistory::generate(seed, 100);
        for arrival in 0..2 {
            assert_same_answers(&history, history.arrival_order(arrival), seed);
        }
    }
}

#[test]
fn duplicates_do_not_change_answers() {
    for seed in 100..116 {
        let history = ReportHistory::generate(seed, 100);
        let arrival = history.arrival_order_with_duplicates(seed);
        assert!(arrival.len() > history.reports.len());
        assert_same_answers(&history, arrival, seed);
    }
}

fn sorted(reports: &[Report]) -> Vec<String> {
    let mut lines: Vec<String> = reports.iter().map(|one| format!("{one:?}")).collect();
    lines.sort_unstable();
    lines
}

/// The lateness of the report at `index` in its own stream: the completions of its scope, or the sightings of its
/// claim.
fn lateness(arrival: &[Report], index: usize) -> usize {
    let report = &arrival[index];
    let before = arrival[..index].iter().filter(|other| {
        let has_same_stream = match (report, other) {
            (
                Report::Completion {
                    source,
                    scope,
                    class,
                    ..
                },
                Report::Completion {
                    source: source2,
                    scope: scope2,
                    class: class2,
                    ..
                },
            ) => (source, scope, class) == (source2, scope2, class2),
            (
                Report::Seen {
                    uid,
                    source,
                    scope,
                    class,
                    ..
                },
                Report::Seen {
                    uid: uid2,
                    source: source2,
                    scope: scope2,
                    class: class2,
                    ..
                },
            ) => (uid, source, scope, class) == (uid2, source2, scope2, class2),
            _ => false,
        };
        has_same_stream && other.time() > report.time()
    });
    before.count()
}

/// The greatest lateness of the reports that `is_counted` selects.
fn greatest_lateness(arrivals: &[Vec<Report>], is_counted: impl Fn(&Report) -> bool) -> usize {
    let mut greatest = 0;
    for arrival in arrivals {
        for index in 0..arrival.len() {
            if is_counted(&arrival[index]) {
                greatest = greatest.max(lateness(arrival, index));
            }
        }
    }
    greatest
}

fn is_completion(report: &Report) -> bool {
    matches!(report, Report::Completion { .. })
}

#[test]
fn generated_orders_reach_the_limit_of_lateness() {
    let mut arrivals = Vec::new();
    for seed in 0..30 {
        let history = ReportHistory::generate(seed, 150);
        let arrival = history.arrival_order(seed);
        assert_eq!(sorted(&arrival), sorted(&history.reports));
        arrivals.push(arrival);
    }
    assert_eq!(greatest_lateness(&arrivals, is_completion), MAX_LATENESS);
    let direct = greatest_lateness(&arrivals, |report| !is_completion(report));
    assert!((4..=MAX_LATENESS).contains(&direct), "{direct}");
}

#[test]
fn unbounded_lateness_makes_completions_late() {
    let lateness = Lateness {
        completions: usize::MAX,
        other_streams: usize::MAX,
        ..Lateness::BOUNDED
    };
    let mut late_completions = 0;
    for seed in 0..10 {
        let history = ReportHistory::generate(seed, 150);
        late_completions += replay(history.arrival_order_within(seed, lateness)).late_completions();
    }
    assert!(late_completions > 0);
}

#[test]
fn one_seed_always_generates_the_same_history() {
    let history = ReportHistory::generate(7, 80);
    assert_eq!(history, ReportHistory::generate(7, 80));
    assert_eq!(history.arrival_order(1), history.arrival_order(1));
    assert_ne!(history.arrival_order(1), history.arrival_order(2));
    assert_ne!(history, ReportHistory::generate(8, 80));
}

#[test]
fn failing_history_is_minimised_to_the_reports_that_cause_the_failure() {
    let event = delete_event(15);
    let list = scan("aws", "eu", 21, &["u"]);
    let mut reports: Vec<Report> = (0..20).map(|minute| row("aws", "eu", minute, 1)).collect();
    reports.insert(3, list.clone());
    reports.insert(11, event.clone());
    let history = ReportHistory { reports };
    let least = minimise(&history, |history| {
        history.reports.contains(&event) && history.reports.contains(&list)
    });
    let expected = ReportHistory {
        reports: vec![list, event],
    };
    assert_eq!(least, expected);
    let text = "+6m completion Actual aws \"eu\" {\"u\": 1}, others deleted\n+0s delete event u of trail\n";
    assert_eq!(least.to_string(), text);
    assert_eq!(history.without(0).reports.len(), 21);
    assert_eq!(least.times(), [at(15), at(21)]);
}
