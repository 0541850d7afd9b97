//! Histories of reports: generated from a seed, printed, and minimised.

use std::fmt::{self, Display, Formatter};

use crate::claims::{Removal, Report, ReportedBy};
use crate::component::UnixNanos;

use super::generator::HistoryGenerator;

/// Reports of several sources about a few uids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportHistory {
    /// A generated history is ordered by time.
    pub reports: Vec<Report>,
}

impl ReportHistory {
    /// Generates `size` reports. No two are equal, and no two completions of one source, scope and class began at the
    /// same time. One seed always gives the same history.
    pub fn generate(seed: u64, size: usize) -> ReportHistory {
        let mut generator = HistoryGenerator::new(seed);
        // Some histories end with a scope that stays silent.
        let before_end = size.saturating_sub(12);
        while generator.reports.len() < before_end {
            generator.add_random_event();
        }
        generator.maybe_silence_scope();
        while generator.reports.len() < size {
            generator.add_random_event();
        }
        let mut reports = generator.reports;
        reports.sort_by_key(Report::time);
        reports.truncate(size);
        ReportHistory { reports }
    }

    /// Returns the history without the report at this index.
    pub fn without(&self, index: usize) -> ReportHistory {
        let mut reports = self.reports.clone();
        reports.remove(index);
        ReportHistory { reports }
    }

    /// The times of all reports, ascending, without duplicates.
    pub fn times(&self) -> Vec<UnixNanos> {
        let mut times: Vec<UnixNanos> = self.reports.iter().map(Report::time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }
}

/// One line for each report, with its time relative to that of the earliest report.
impl Display for ReportHistory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let first = self
            .reports
            .iter()
            .map(Report::time)
            .min()
            .unwrap_or_default();
        for report in &self.reports {
            let after = relative(report.time().0 - first.0);
            match report {
                Report::Seen {
                    uid,
                    class,
                    source,
                    scope,
                    state,
                    by,
                    ..
                } => {
                    let by = match by {
                        ReportedBy::Scan => "scan",
                        ReportedBy::Row => "row",
                    };
                    writeln!(
                        f,
                        "{after} seen {uid} {class:?} {source} {scope:?} = {state} by {by}"
                    )?;
                }
                Report::Removed {
                    uid,
                    class,
                    source,
                    scope,
                    how,
                    ..
                } => writeln!(
                    f,
                    "{after} removed {uid} {class:?} {source} {scope:?}, {}",
                    removal_word(*how)
                )?,
                Report::DeleteEvent { uid, source, .. } => {
                    writeln!(f, "{after} delete event {uid} of {source}")?;
                }
                Report::Completion {
                    source,
                    scope,
                    class,
                    members,
                    miss,
                    ..
                } => writeln!(
                    f,
                    "{after} completion {class:?} {source} {scope:?} {members:?}, others {}",
                    removal_word(*miss)
                )?,
            }
        }
        Ok(())
    }
}

/// Removes as many reports from a history as possible while `fails` remains true for it: at the end, no single report
/// can be removed. Keeps the order. If `fails` is false for the history itself, returns it unchanged.
pub fn minimise(
    history: &ReportHistory,
    mut fails: impl FnMut(&ReportHistory) -> bool,
) -> ReportHistory {
    let mut least = history.clone();
    if !fails(&least) {
        return least;
    }
    let mut chunk = least.reports.len().div_ceil(2);
    while chunk > 0 {
        let before = least.reports.len();
        let mut start = 0;
        while start < least.reports.len() {
            let end = (start + chunk).min(least.reports.len());
            let mut smaller = least.clone();
            smaller.reports.drain(start..end);
            if fails(&smaller) {
                least = smaller;
            } else {
                start = end;
            }
        }
        // It may only be possible to remove a report after another one is removed, so single reports are tried again.
        let again = chunk == 1 && least.reports.len() < before;
        chunk = if again { 1 } else { chunk / 2 };
    }
    least
}

fn removal_word(removal: Removal) -> &'static str {
    match removal {
        Removal::Deleted => "deleted",
        Removal::Released => "released",
    }
}

/// Formats a duration, such as `+1d 5m`. If it is not a whole number of seconds, rounds it and appends the difference:
/// `+1d 5m -1ns`.
fn relative(nanos: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let seconds = (nanos + SECOND / 2) / SECOND;
    let duration = humantime::format_duration(std::time::Duration::from_secs(seconds));
    let difference = i128::from(nanos) - i128::from(seconds * SECOND);
    if difference == 0 {
        format!("+{duration}")
    } else {
        format!("+{duration} {difference:+}ns")
    }
}
