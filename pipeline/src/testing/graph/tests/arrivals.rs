use crate::claims::{Class, Existence, Report};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::testing::graph::histories::time;
use crate::testing::graph::{History, LATE, Lateness, Replay, minimise};

use super::reports::{at, delete_event, replay, row, scan};

type Version = (String, String, u64);

/// Every answer of a replay about all uids, now and around every time of the history.
fn answers(replay: &Replay, times: &[UnixNanos]) -> Vec<String> {
    let around = |time: &UnixNanos| {
        let times = [time.0 - 1, time.0, time.0 + 1];
        times.map(|time| At::Time(UnixNanos(time)))
    };
    let moments: Vec<At> = times.iter().flat_map(around).chain([At::Now]).collect();
    let mut answers = Vec::new();
    for uid in replay.uids() {
        for (class, source, scope) in replay.keys(&uid) {
            let stretches = replay.stretches(&uid, class, &source, &scope);
            answers.push(format!("{uid} {class:?} {source} {scope} {stretches:?}"));
        }
        let mut last = String::new();
        for moment in &moments {
            let existence: Existence = replay.existence(&uid, *moment);
            let values: Vec<Option<Version>> = Class::ALL
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

fn assert_same_answers(history: &History, arrival: Vec<Report>, seed: u64) {
    let times = history.times();
    let expected = answers(&replay(history.reports.clone()), &times);
    let arrived = replay(arrival);
    assert_eq!(arrived.too_late(), 0, "seed {seed}\n{history}");
    assert_eq!(
        answers(&arrived, &times),
        expected,
        "seed {seed}\n{history}"
    );
}

#[test]
fn order_of_arrival_does_not_matter() {
    for seed in 0..24 {
        let history = History::generate(seed, 100);
        for arrival in 0..2 {
            assert_same_answers(&history, history.arrival(arrival), seed);
        }
    }
}

#[test]
fn duplicates_change_nothing() {
    for seed in 100..116 {
        let history = History::generate(seed, 100);
        let arrival = history.arrival_with_duplicates(seed);
        assert!(arrival.len() > history.reports.len());
        assert_same_answers(&history, arrival, seed);
    }
}

fn sorted(reports: &[Report]) -> Vec<String> {
    let mut lines: Vec<String> = reports.iter().map(|one| format!("{one:?}")).collect();
    lines.sort_unstable();
    lines
}

/// How late a report arrived among those of its stream: the completions of its scope, or the
/// sightings on its claim.
fn lateness(arrival: &[Report], index: usize) -> usize {
    let report = &arrival[index];
    let before = arrival[..index].iter().filter(|other| {
        let of_stream = match (report, other) {
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
        of_stream && time(other) > time(report)
    });
    before.count()
}

fn latest(arrivals: &[Vec<Report>], of: impl Fn(&Report) -> bool) -> usize {
    let mut latest = 0;
    for arrival in arrivals {
        for index in 0..arrival.len() {
            if of(&arrival[index]) {
                latest = latest.max(lateness(arrival, index));
            }
        }
    }
    latest
}

fn is_completion(report: &Report) -> bool {
    matches!(report, Report::Completion { .. })
}

#[test]
fn arrival_is_as_late_as_it_may_be_and_not_later() {
    let mut arrivals = Vec::new();
    for seed in 0..30 {
        let history = History::generate(seed, 150);
        let arrival = history.arrival(seed);
        assert_eq!(sorted(&arrival), sorted(&history.reports));
        arrivals.push(arrival);
    }
    assert_eq!(latest(&arrivals, is_completion), LATE);
    let direct = latest(&arrivals, |report| !is_completion(report));
    assert!((4..=LATE).contains(&direct), "{direct}");
}

#[test]
fn arrival_may_make_completions_too_late() {
    let lateness = Lateness {
        scans: usize::MAX,
        across: usize::MAX,
        ..Lateness::BOUNDED
    };
    let mut too_late = 0;
    for seed in 0..10 {
        let history = History::generate(seed, 150);
        too_late += replay(history.arrival_within(seed, lateness)).too_late();
    }
    assert!(too_late > 0);
}

#[test]
fn same_seed_makes_the_same_history() {
    let history = History::generate(7, 80);
    assert_eq!(history, History::generate(7, 80));
    assert_eq!(history.arrival(1), history.arrival(1));
    assert_ne!(history.arrival(1), history.arrival(2));
    assert_ne!(history, History::generate(8, 80));
}

#[test]
fn failing_history_is_shrunk_to_the_reports_that_matter() {
    let event = delete_event(15);
    let list = scan("aws", "eu", 21, &["u"]);
    let mut reports: Vec<Report> = (0..20).map(|minute| row("aws", "eu", minute, 1)).collect();
    reports.insert(3, list.clone());
    reports.insert(11, event.clone());
    let history = History { reports };
    let least = minimise(&history, |history| {
        history.reports.contains(&event) && history.reports.contains(&list)
    });
    let expected = History {
        reports: vec![list, event],
    };
    assert_eq!(least, expected);
    let text = "+6m completion Actual aws \"eu\" {\"u\": 1}, others deleted\n+0s delete event u of trail\n";
    assert_eq!(least.to_string(), text);
    assert_eq!(history.without(0).reports.len(), 21);
    assert_eq!(least.times(), [at(15), at(21)]);
}
