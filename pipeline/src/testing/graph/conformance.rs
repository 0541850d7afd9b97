//! Compares the answers of a store over any backend with those of the replay.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::comparison::{compare_reads, moments_around};
use super::{Replay, ReportHistory, minimise};
use crate::claims::{Existence, Report};
use crate::component::UnixNanos;
use crate::error_cause::ErrorChain;
use crate::graph_store::AsOf;
use crate::reports::{DeleteEvent, RemovalReport, ReportBatch, ScanCompletion, Sighting};
use crate::scan_members::Members;
use crate::store::rows::{Backend, Listing, RowsError};
use crate::store::{Retention, Store};
use crate::{testing, uid};

/// The number of reports in each batch.
#[derive(Clone, Copy, Debug)]
pub struct ReportsPerBatch(pub usize);

impl<'a> ReportBatch<'a> {
    /// Returns a batch of these reports. Sightings have no content.
    pub fn from_reports(reports: &'a [Report]) -> ReportBatch<'a> {
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
                } => batch.removals.push(RemovalReport {
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
                    batch.completions.push(ScanCompletion {
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

/// Runs housekeeping after some of the batches, each time with a random retention of history.
#[derive(Clone, Copy, Debug)]
pub struct HousekeepingSchedule {
    /// The seed that selects the batches and retentions.
    pub seed: u64,
    /// The setting of the store.
    pub observed_edge_ttl: Duration,
}

impl HousekeepingSchedule {
    /// Returns the retention of the housekeeping after a batch; `None` if there is none after it.
    fn after(self, batch: usize) -> Option<Retention> {
        const HOURS: [u64; 6] = [2, 6, 24, 30, 72, 200];
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_add(batch as u64 * 7919));
        rng.random_bool(0.3).then(|| Retention {
            history: Duration::from_secs(3600 * HOURS[rng.random_range(0..HOURS.len())]),
            ..Retention::default()
        })
    }
}

/// Runs all housekeeping that is due, and checks which nodes it removes. Raises the horizon of the replay to that of
/// the store. Drops the direct reports of the nodes that may be removed from the replay.
async fn run_housekeeping<B: Backend>(
    store: &Store<B>,
    replay: &mut Replay,
    retention: &Retention,
    (now, observed_edge_ttl): (UnixNanos, Duration),
) -> Result<(), String> {
    testing::run_housekeeping(store, now, retention).await?;
    let failed = |error: RowsError| format!("read failed: {}", ErrorChain(&error));
    let horizon = store.horizon().await.map_err(failed)?.history();
    replay.raise_horizon(horizon);
    for uid in replay.uids() {
        let is_known = store.inspect(&uid).await.map_err(failed)?.is_some();
        let is_removable = replay.is_removable(&uid, observed_edge_ttl);
        if is_known && is_removable && horizon.0 > 0 {
            return Err(format!(
                "housekeeping with the horizon {horizon:?} kept {uid}, which has no newer report"
            ));
        }
        if !is_known && !is_removable && !replay.keys(&uid).is_empty() {
            return Err(format!(
                "housekeeping with the horizon {horizon:?} removed {uid}, which has newer reports"
            ));
        }
        if is_removable {
            replay.drop_direct_reports(&uid);
        }
    }
    Ok(())
}

/// Writes the reports in this order. Then compares the existence, the values and the snapshots of all uids with those
/// of the replay: now, at each of `times`, and one nanosecond before and after each of them.
///
/// # Errors
/// If the backend fails, or if a read differs: then the text lists all differences.
pub async fn compare_with_replay<B: Backend>(
    store: &Store<B>,
    reports: &[Report],
    batches: ReportsPerBatch,
    times: &[UnixNanos],
) -> Result<(), String> {
    compare_with_housekeeping(store, reports, batches, times, None).await
}

/// Like [`compare_with_replay`], with housekeeping between batches. Compares no times before the horizon.
///
/// # Errors
/// If the backend fails, if housekeeping keeps or removes a wrong node, or if a read differs.
pub async fn compare_with_housekeeping<B: Backend>(
    store: &Store<B>,
    reports: &[Report],
    batches: ReportsPerBatch,
    times: &[UnixNanos],
    housekeeping: Option<HousekeepingSchedule>,
) -> Result<(), String> {
    let mut replay = Replay::new();
    let mut now = UnixNanos(0);
    for (number, reports) in reports.chunks(batches.0.max(1)).enumerate() {
        let batch = ReportBatch::from_reports(reports);
        now = now.max(reports.iter().map(Report::time).max().unwrap_or_default());
        let written = store.write_at(&batch, now).await;
        written.map_err(|error| format!("write failed: {error}"))?;
        for report in reports {
            replay.push(report.clone());
        }
        let due = housekeeping.and_then(|it| Some((it.after(number)?, it.observed_edge_ttl)));
        if let Some((retention, observed_edge_ttl)) = due {
            run_housekeeping(store, &mut replay, &retention, (now, observed_edge_ttl)).await?;
        }
    }
    let checked = store.check(false).await;
    let checked = checked.map_err(|error| format!("check failed: {}", ErrorChain(&error)))?;
    if !checked.is_clean() {
        return Err(format!("current rows differ from the claims: {checked:?}"));
    }
    let horizon = replay.horizon();
    let mut moments = moments_around(times);
    moments.retain(|at| match at {
        AsOf::Now => true,
        AsOf::Time(time) => *time >= horizon,
    });
    let mut differences = String::new();
    for uid in replay.uids() {
        let inspected = store.inspect(&uid).await;
        let inspected = inspected.map_err(|error| format!("read failed: {error}"))?;
        let Some(inspected) = inspected else {
            // A completion contains only the hashes of its members, so the store does not know the uid of a member that
            // no row reported.
            if !replay.keys(&uid).is_empty() {
                let _ = writeln!(differences, "{uid} is missing in the store");
            }
            continue;
        };
        let expected = replay.existence(&uid, AsOf::Now);
        let row = &inspected.row;
        let is_current_row_right = match (expected, row.ended, row.unobserved) {
            (Existence::Ended(time), Some(ended), None) => time == ended,
            (Existence::Unobserved(time), None, Some(unobserved)) => time == unobserved,
            (Existence::Exists, None, None) => row.listing == Listing::Current,
            (Existence::Unknown, _, None) => true,
            _ => false,
        };
        if !is_current_row_right {
            let _ = writeln!(
                differences,
                "{uid}: expected {expected:?}, current row {row:?}"
            );
        }
        differences += &compare_reads(&replay, &uid, &inspected, &moments);
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences),
    }
}

/// Calls `run` with a generated history of each seed, in three orders of arrival: by time, with bounded lateness, and
/// with bounded lateness and duplicates. `run` compares one implementation with the replay at the given times.
///
/// # Errors
/// If `run` fails for a history. The text contains the seed, a minimised history that still fails, and the differences
/// of that history.
pub fn check_generated_histories(
    seeds: impl Iterator<Item = u64>,
    size: usize,
    run: impl Fn(&[Report], ReportsPerBatch, &[UnixNanos]) -> Result<(), String>,
) -> Result<(), String> {
    for seed in seeds {
        let history = ReportHistory::generate(seed, size);
        let times = history.times();
        let orders = [
            history.reports.clone(),
            history.arrival_order(seed),
            history.arrival_order_with_duplicates(seed),
        ];
        for (order, reports) in orders.into_iter().enumerate() {
            let batches = ReportsPerBatch(1 + (seed as usize + order) % 5);
            if run(&reports, batches, &times).is_ok() {
                continue;
            }
            let arrived = ReportHistory { reports };
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
