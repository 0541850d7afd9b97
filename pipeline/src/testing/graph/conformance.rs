//! A store of any backend answers as the replay does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::histories::time;
use super::{History, Replay, minimise};
use crate::cause::Chain;
use crate::claims::{Class, Existence, Report};
use crate::component::UnixNanos;
use crate::graph_store::At;
use crate::members::Members;
use crate::reports::{Completion, DeleteEvent, Removed, ReportBatch, Sighting};
use crate::store::rows::{Backend, Listing, RowsError};
use crate::store::{Retention, Store};
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

/// When a store does its housekeeping between batches, and for how long it keeps history.
#[derive(Clone, Copy, Debug)]
pub struct Housekeeping {
    pub seed: u64,
    /// As the store is set.
    pub seen_for: Duration,
}

impl Housekeeping {
    /// After which batches, and for how long history is kept then.
    fn after(self, batch: usize) -> Option<Retention> {
        const HOURS: [u64; 6] = [2, 6, 24, 30, 72, 200];
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_add(batch as u64 * 7919));
        rng.random_bool(0.3).then(|| Retention {
            history: Duration::from_secs(3600 * HOURS[rng.random_range(0..HOURS.len())]),
            ..Retention::default()
        })
    }
}

/// Does all housekeeping that is due; the replay forgets what the store may forget.
async fn keep_house<B: Backend>(
    store: &Store<B>,
    replay: &mut Replay,
    retention: &Retention,
    (now, seen_for): (UnixNanos, Duration),
) -> Result<(), String> {
    let failed = |error: RowsError| format!("housekeeping failed: {}", Chain(&error));
    let mut steps = 0;
    while !store
        .housekeep(now, retention)
        .await
        .map_err(failed)?
        .is_done
    {
        steps += 1;
        if steps > 10_000 {
            return Err("housekeeping never ends".to_owned());
        }
    }
    let horizon = store.horizon().await.map_err(failed)?.history();
    replay.raise_horizon(horizon);
    for uid in replay.uids() {
        let known = store.inspect(&uid).await.map_err(failed)?.is_some();
        let is_over = replay.is_over(&uid, seen_for);
        if known && is_over && horizon.0 > 0 {
            return Err(format!("{uid} stays after housekeeping at {horizon:?}"));
        }
        if !known && !is_over && !replay.keys(&uid).is_empty() {
            return Err(format!("{uid} was removed by housekeeping at {horizon:?}"));
        }
        if is_over {
            replay.forget(&uid);
        }
    }
    Ok(())
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
    compare_aged(store, reports, batches, times, None).await
}

/// Likewise, with housekeeping between batches: answers at the horizon and later stay the replay's.
///
/// # Errors
/// When something differs, or the backend fails.
pub async fn compare_aged<B: Backend>(
    store: &Store<B>,
    reports: &[Report],
    batches: Batches,
    times: &[UnixNanos],
    housekeeping: Option<Housekeeping>,
) -> Result<(), String> {
    let mut replay = Replay::new();
    let mut now = UnixNanos(0);
    for (number, reports) in reports.chunks(batches.0.max(1)).enumerate() {
        let batch = ReportBatch::of_reports(reports);
        now = now.max(reports.iter().map(time).max().unwrap_or_default());
        let written = store.write_at(&batch, now).await;
        written.map_err(|error| format!("a write failed: {error}"))?;
        for report in reports {
            replay.push(report.clone());
        }
        let due = housekeeping.and_then(|it| Some((it.after(number)?, it.seen_for)));
        if let Some((retention, seen_for)) = due {
            keep_house(store, &mut replay, &retention, (now, seen_for)).await?;
        }
    }
    let checked = store.check(false).await;
    let checked = checked.map_err(|error| format!("a check failed: {}", Chain(&error)))?;
    if !checked.is_clean() {
        return Err(format!(
            "the current rows are not as the claims: {checked:?}"
        ));
    }
    let horizon = replay.horizon();
    let around = times.iter().flat_map(|time| {
        [time.0.saturating_sub(1), time.0, time.0 + 1].map(|time| At::Time(UnixNanos(time)))
    });
    let around = around.filter(|at| matches!(at, At::Time(time) if *time >= horizon));
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
