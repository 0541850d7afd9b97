//! Histories of reports, generated from a seed.

use std::fmt::{self, Display, Formatter};

use crate::claims::{By, Removal, Report};
use crate::component::UnixNanos;

use super::world::World;

/// Reports of several sources about a few uids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// By time, so in the order in which each source sends its own.
    pub reports: Vec<Report>,
}

impl History {
    /// `size` reports. No report stands twice, and no two completions of one source, scope and
    /// class began at the same time.
    pub fn generate(seed: u64, size: usize) -> History {
        let mut world = World::new(seed);
        // Ends in some cases with a scope that does not come back.
        let before_end = size.saturating_sub(12);
        while world.reports.len() < before_end {
            world.act();
        }
        world.may_fall_silent();
        while world.reports.len() < size {
            world.act();
        }
        let mut reports = world.reports;
        reports.sort_by_key(time);
        reports.truncate(size);
        History { reports }
    }

    pub fn without(&self, index: usize) -> History {
        let mut reports = self.reports.clone();
        reports.remove(index);
        History { reports }
    }

    /// Every time that occurs in a report.
    pub fn times(&self) -> Vec<UnixNanos> {
        let mut times: Vec<UnixNanos> = self.reports.iter().map(time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }
}

/// When it was so.
pub(super) fn time(report: &Report) -> UnixNanos {
    match report {
        Report::Seen { time, .. }
        | Report::Removed { time, .. }
        | Report::DeleteEvent { time, .. } => *time,
        Report::Completion { began, .. } => *began,
    }
}

/// A report a line, its time relative to the first.
impl Display for History {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let first = self.reports.iter().map(time).min().unwrap_or_default();
        for report in &self.reports {
            let after = relative(time(report).0 - first.0);
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
                        By::Scan => "scan",
                        By::Row => "row",
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
                    word(*how)
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
                    word(*miss)
                )?,
            }
        }
        Ok(())
    }
}

fn word(removal: Removal) -> &'static str {
    match removal {
        Removal::Deleted => "deleted",
        Removal::Released => "released",
    }
}

/// `+1d 5m`, and `+1d 5m -1ns` for a moment that is some nanoseconds beside a second.
fn relative(nanos: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let seconds = (nanos + SECOND / 2) / SECOND;
    let duration = humantime::format_duration(std::time::Duration::from_secs(seconds));
    let beside = i128::from(nanos) - i128::from(seconds * SECOND);
    if beside == 0 {
        format!("+{duration}")
    } else {
        format!("+{duration} {beside:+}ns")
    }
}
