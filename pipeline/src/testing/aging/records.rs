//! Properties of records: retention and lists.

use super::fixture::{DAY, retention_of, run_housekeeping, store, write};
use crate::Signal;
use crate::component::UnixNanos;
use crate::graph_store::{GraphStore as _, Record, RecordFilter};
use crate::reports::{RecordReport, ReportBatch};
use crate::store::Store;
use crate::store::rows::Backend;

/// A record of the uid `a`.
fn record(signal: Signal, id: &str, opened: u64, resolved: Option<u64>) -> RecordReport<'static> {
    RecordReport {
        signal,
        id: id.to_owned().into(),
        opened: UnixNanos(opened),
        time: UnixNanos(resolved.unwrap_or(opened)),
        source: "airdig",
        uid: Some("a"),
        names: vec!["a".to_owned()],
        status: "",
        severity: "",
        resolved: resolved.map(UnixNanos),
        columns: "{}".to_owned(),
        impact: None,
    }
}

/// Reads all pages of a list.
async fn list<B: Backend>(store: &Store<B>, filter: &RecordFilter, limit: usize) -> Vec<Record> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .records(filter, after.as_deref(), limit)
            .await
            .unwrap();
        assert!(page.records.len() <= limit);
        all.extend(page.records);
        after = page.last;
        if after.is_none() {
            return all;
        }
    }
}

pub(super) async fn records_expire_by_the_time_of_their_resolution<B: Backend>(one: B, _: B) {
    let store = store(one);
    let citing = RecordReport {
        columns: r#"{"attribution": {"event_id": "cited", "actor": "eve"}}"#.to_owned(),
        ..record(Signal::Drift, "open", DAY, None)
    };
    let mut records = vec![
        citing,
        record(Signal::Drift, "resolved", DAY, Some(2 * DAY)),
        record(Signal::Drift, "resolved late", DAY, Some(9 * DAY)),
        record(Signal::Alerts, "firing", DAY, None),
        record(Signal::Alerts, "resolved", DAY, Some(2 * DAY)),
        record(Signal::Changes, "cited", DAY, None),
        record(Signal::Changes, "old", DAY, None),
        record(Signal::Changes, "new", 9 * DAY, None),
    ];
    // Each health window is a separate record.
    for day in 1..10 {
        records.push(record(Signal::Health, "a", day * DAY, Some(day * DAY)));
    }
    let report = ReportBatch {
        records,
        ..ReportBatch::default()
    };
    write(&store, 9 * DAY, report).await;
    run_housekeeping(&store, 10 * DAY, &retention_of(3 * DAY)).await;
    let remaining = list(&store, &RecordFilter::default(), 3).await;
    let mut remaining: Vec<String> = remaining
        .iter()
        .map(|record| format!("{} {} {}", record.signal, record.id, record.opened.0 / DAY))
        .collect();
    remaining.sort();
    assert_eq!(
        remaining,
        [
            "alerts firing 1",
            "changes cited 1",
            "changes new 9",
            "drift open 1",
            "drift resolved late 1",
            "health a 7",
            "health a 8",
            "health a 9",
        ]
    );
    let late = ReportBatch {
        records: vec![
            record(Signal::Drift, "late", DAY, Some(2 * DAY)),
            record(Signal::Drift, "late", DAY, None),
        ],
        ..ReportBatch::default()
    };
    assert_eq!(write(&store, 10 * DAY, late).await.too_old, 1);
}

pub(super) async fn records_are_listed_by_every_combination_of_filters<B: Backend>(one: B, _: B) {
    let store = store(one);
    let signals = [
        Signal::Drift,
        Signal::Alerts,
        Signal::Health,
        Signal::Changes,
    ];
    let mut records = Vec::new();
    for number in 0..40_u64 {
        let signal = signals[number as usize % 4];
        // Many have equal opening times, and some have equal ids.
        let (opened, id) = (DAY + number % 6, format!("{}", number % 9));
        let resolved = (number % 3 == 0).then_some(2 * DAY);
        records.push(RecordReport {
            status: ["open", "resolved", ""][number as usize % 3],
            severity: ["high", "low"][number as usize % 2],
            names: vec![format!("uid-{}", number % 5), "all".to_owned()],
            ..record(signal, &id, opened, resolved)
        });
    }
    let report = ReportBatch {
        records,
        ..ReportBatch::default()
    };
    let commit = store.write_at(&report, UnixNanos(2 * DAY)).await.unwrap().0;
    let all = list(&store, &RecordFilter::default(), 1000).await;
    assert!(all.len() > 30);
    assert!(all.is_sorted_by(|one, other| one.opened >= other.opened));
    let new = commit.records.iter().filter(|record| record.is_new);
    assert_eq!(new.count(), all.len());

    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|&text| text.to_owned())
            .collect::<Vec<_>>()
    };
    let opening_times = [None, Some(UnixNanos(DAY + 2)..UnixNanos(DAY + 4))];
    for signals in [
        vec![],
        vec![Signal::Alerts],
        vec![Signal::Drift, Signal::Health],
    ] {
        for statuses in [
            texts(&[]),
            texts(&["open"]),
            texts(&["open", "resolved", "never"]),
        ] {
            for severities in [texts(&[]), texts(&["low", "high"]), texts(&["never"])] {
                for uids in [
                    texts(&[]),
                    texts(&["uid-1", "uid-3", "never"]),
                    texts(&["all"]),
                ] {
                    for (is_open, opened) in [None, Some(true), Some(false)]
                        .into_iter()
                        .flat_map(|open| opening_times.clone().map(|times| (open, times)))
                    {
                        let filter = RecordFilter {
                            signals: signals.clone(),
                            uids: uids.clone(),
                            statuses: statuses.clone(),
                            severities: severities.clone(),
                            opened,
                            is_open,
                        };
                        let is_match = |record: &&Record| matches(record, &filter);
                        let expected: Vec<Record> = all.iter().filter(is_match).cloned().collect();
                        assert_eq!(list(&store, &filter, 3).await, expected, "{filter:?}");
                    }
                }
            }
        }
    }
    let page = store
        .records(&RecordFilter::default(), Some("nonsense"), 9)
        .await;
    assert_eq!(page.unwrap().records, []);
}

/// Whether the filter matches the record.
fn matches(record: &Record, filter: &RecordFilter) -> bool {
    let is_any_of = |values: &[String], value: &Option<String>| {
        values.is_empty() || value.as_ref().is_some_and(|value| values.contains(value))
    };
    (filter.signals.is_empty() || filter.signals.contains(&record.signal))
        && (filter.uids.is_empty() || record.names.iter().any(|name| filter.uids.contains(name)))
        && is_any_of(&filter.statuses, &record.status)
        && is_any_of(&filter.severities, &record.severity)
        && filter
            .opened
            .as_ref()
            .is_none_or(|times| times.contains(&record.opened))
        && filter
            .is_open
            .is_none_or(|open| open == record.resolved.is_none())
}
