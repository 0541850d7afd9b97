//! A store of any backend answers as the replay does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use super::{History, Replay, minimise};
use crate::claims::{Class, Existence, Report};
use crate::component::UnixNanos;
use crate::facts::Members;
use crate::graph_store::At;
use crate::reports::{Completion, DeleteEvent, Removed, ReportBatch, Sighting};
use crate::store::Store;
use crate::store::rows::{Backend, Listing};
use crate::uid;

/// How reports are put together into batches.
#[derive(Clone, Copy, Debug)]
pub struct Batches(pub usize);

impl<'a> ReportBatch<'a> {
    /// Of reports in the terms of the rules.
    pub fn of_reports(reports: &'a [Report]) -> ReportBatch<'a> {
        let mut batch = ReportBatch::default();
        for report in reports {
            match report {
                Report::Seen {
                    uid,
                    class,
                    source,
                    scope,
                    time,
                    state,
                    by,
                } => batch.sightings.push(Sighting {
                    uid,
                    class: *class,
                    source,
                    scope,
                    time: *time,
                    state: *state,
                    by: *by,
                    content: None,
                }),
                Report::Removed {
                    uid,
                    class,
                    source,
                    scope,
                    time,
                    how,
                } => batch.removals.push(Removed {
                    uid,
                    class: *class,
                    source,
                    scope,
                    time: *time,
                    how: *how,
                }),
                Report::DeleteEvent { uid, source, time } => {
                    batch.delete_events.push(DeleteEvent {
                        uid,
                        source,
                        time: *time,
                    });
                }
                Report::Completion {
                    source,
                    scope,
                    class,
                    began,
                    members,
                    miss,
                } => {
                    let pairs = members.iter().map(|(uid, state)| (uid::hash(uid), *state));
                    batch.completions.push(Completion {
                        class: *class,
                        source,
                        scope,
                        began: *began,
                        members: Arc::new(Members::new(pairs.collect())),
                        miss: *miss,
                    });
                }
            }
        }
        batch
    }
}

/// Writes reports in this order and compares all answers, now and at every time that matters, with the
/// replay's. An error says what differs.
///
/// # Errors
/// When something differs, or the backend fails.
pub async fn compare<B: Backend>(
    store: &Store<B>,
    reports: &[Report],
    batches: Batches,
    times: &[UnixNanos],
) -> Result<(), String> {
    let mut replay = Replay::new();
    for reports in reports.chunks(batches.0.max(1)) {
        let batch = ReportBatch::of_reports(reports);
        let written = store.write(&batch).await;
        written.map_err(|error| format!("a write failed: {error}"))?;
        for report in reports {
            replay.push(report.clone());
        }
    }
    let around = times.iter().flat_map(|time| {
        [time.0.saturating_sub(1), time.0, time.0 + 1].map(|time| At::Time(UnixNanos(time)))
    });
    let moments: Vec<At> = [At::Now].into_iter().chain(around).collect();
    let mut differences = String::new();
    for uid in replay.uids() {
        let inspected = store.inspect(&uid).await;
        let inspected = inspected.map_err(|error| format!("a read failed: {error}"))?;
        let Some(inspected) = inspected else {
            // A completion names its members by their hashes alone.
            if !replay.keys(&uid).is_empty() {
                let _ = writeln!(differences, "{uid} is not known");
            }
            continue;
        };
        let expected = replay.existence(&uid, At::Now);
        let row = &inspected.row;
        let current = match (expected, row.ended, row.unobserved) {
            (Existence::Ended(time), Some(ended), None) => time == ended,
            (Existence::Unobserved(time), None, Some(unobserved)) => time == unobserved,
            (Existence::Exists, None, None) => row.listing == Listing::Current,
            (Existence::Unknown, _, None) => true,
            _ => false,
        };
        if !current {
            let _ = writeln!(
                differences,
                "{uid} is {expected:?}, its current row {row:?}"
            );
        }
        for at in &moments {
            let (expected, found) = (replay.existence(&uid, *at), inspected.existence(*at));
            if expected != found {
                let _ = writeln!(
                    differences,
                    "{uid} at {at:?}: {expected:?}, found {found:?}"
                );
            }
            for class in Class::ALL {
                let expected = replay.value(&uid, class, *at);
                let found = inspected.value(class, *at);
                let found = found
                    .map(|(source, scope, state)| (source.to_owned(), scope.to_owned(), state));
                if expected != found {
                    let _ = writeln!(
                        differences,
                        "{class:?} of {uid} at {at:?}: {expected:?}, found {found:?}"
                    );
                }
            }
            let expected = replay.snapshots(&uid, *at);
            let found: BTreeSet<(String, String, u64)> = inspected
                .snapshots(*at)
                .map(|(source, scope, state)| (source.to_owned(), scope.to_owned(), state))
                .collect();
            if expected != found {
                let _ = writeln!(
                    differences,
                    "snapshots of {uid} at {at:?}: {expected:?}, found {found:?}"
                );
            }
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences),
    }
}

/// Runs histories of these seeds through stores that `make` makes, in several orders and batches. An
/// error has the smallest history found that fails, and what differs.
///
/// # Errors
/// When a history fails.
pub fn follows_the_replay(
    seeds: impl Iterator<Item = u64>,
    size: usize,
    run: impl Fn(&[Report], Batches, &[UnixNanos]) -> Result<(), String>,
) -> Result<(), String> {
    for seed in seeds {
        let history = History::generate(seed, size);
        let times = history.times();
        let orders = [
            history.reports.clone(),
            history.arrival(seed),
            history.arrival_with_duplicates(seed),
        ];
        for (order, reports) in orders.into_iter().enumerate() {
            let batches = Batches(1 + (seed as usize + order) % 5);
            if run(&reports, batches, &times).is_ok() {
                continue;
            }
            let arrived = History { reports };
            let least = minimise(&arrived, |history| {
                run(&history.reports, batches, &history.times()).is_err()
            });
            let differences = run(&least.reports, batches, &least.times());
            let differences = differences.err().unwrap_or_default();
            return Err(format!(
                "seed {seed}, order {order}, {batches:?}\n{least}\n{differences}"
            ));
        }
    }
    Ok(())
}
