//! Orders in which the reports of a history may arrive.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::claims::{Class, Report};

use super::fold::Key;
use super::histories::{History, time};

/// The order of arrival must not matter for a report before which at most this many later ones of
/// a stream arrived.
pub const LATE: usize = 14;

/// How late reports arrive. Late by N in a stream: N others of the stream, each of a later time,
/// arrived before. A stream is the completions of one source, scope and class, or the rows,
/// removals and events on one claim key.
#[derive(Clone, Copy, Debug)]
pub struct Lateness {
    /// The greatest of a completion in the stream of its own scope.
    pub scans: usize,
    /// The greatest of a row, removal or event in the stream of its own keys.
    pub direct: usize,
    /// The greatest in all other streams that bear on one of its keys: a row after completions
    /// that may end what it saw, a completion after rows, a scope's after those of a scope below.
    pub across: usize,
    /// Whether some reports arrive several times.
    pub duplicates: bool,
}

impl Lateness {
    /// No report is late by more than [`LATE`] in any stream that bears on its keys.
    pub const BOUNDED: Lateness = Lateness {
        scans: LATE,
        direct: LATE,
        across: LATE,
        duplicates: false,
    };
}

type Uid<'a> = &'a str;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stream<'a> {
    Completions(Key),
    Direct(Uid<'a>, Key),
}

/// A report that has not arrived yet.
struct Pending {
    /// Its index in the history; a duplicate has that of its original.
    report: usize,
    /// How late it is by now.
    late: BTreeMap<usize, usize>,
    arrived: bool,
}

struct Arrivals<'a> {
    reports: &'a [Report],
    /// The streams of each report.
    own: Vec<BTreeSet<usize>>,
    /// How late each report may be in each stream that matters for it.
    limits: Vec<BTreeMap<usize, usize>>,
    pending: Vec<Pending>,
    /// The indices of `pending` in order of arrival.
    order: Vec<usize>,
}

impl History {
    /// The reports in another order, [`Lateness::BOUNDED`].
    pub fn arrival(&self, seed: u64) -> Vec<Report> {
        self.arrival_within(seed, Lateness::BOUNDED)
    }

    /// As `arrival`; about a third of the reports arrive twice or three times.
    pub fn arrival_with_duplicates(&self, seed: u64) -> Vec<Report> {
        let lateness = Lateness {
            duplicates: true,
            ..Lateness::BOUNDED
        };
        self.arrival_within(seed, lateness)
    }

    pub fn arrival_within(&self, seed: u64, lateness: Lateness) -> Vec<Report> {
        let mut rng = StdRng::seed_from_u64(seed);
        let count = self.reports.len();
        let mut copies: Vec<usize> = (0..count).collect();
        if lateness.duplicates {
            copies.extend((0..count).filter(|_| rng.random_bool(0.25)));
            copies.extend((0..count).filter(|_| rng.random_bool(0.15)));
        }
        // Most reports keep about their place, some arrive as late as they may.
        let held_back = rng.random_range(0.0..0.5);
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (index, report) in copies.iter().enumerate() {
            let delay = if rng.random_bool(held_back) {
                rng.random_range(0..=count)
            } else {
                rng.random_range(0..=4)
            };
            places.push((report + delay, index));
        }
        places.sort_unstable();

        let mut arrivals = Arrivals::new(&self.reports, &copies, lateness);
        for (_, index) in places {
            arrivals.arrive(index);
        }
        let order = arrivals.order.iter();
        order
            .map(|index| self.reports[copies[*index]].clone())
            .collect()
    }
}

impl<'a> Arrivals<'a> {
    fn new(reports: &'a [Report], copies: &[usize], lateness: Lateness) -> Arrivals<'a> {
        let keys = keys(reports);
        let bearing: Vec<BTreeSet<usize>> = reports
            .iter()
            .map(|report| {
                let all = keys.iter().enumerate();
                let bearing = all.filter(|(_, (uid, key))| bears(report, uid, key));
                bearing.map(|(index, _)| index).collect()
            })
            .collect();

        let mut ids: BTreeMap<Stream<'a>, usize> = BTreeMap::new();
        let mut own: Vec<BTreeSet<usize>> = Vec::new();
        for (report, bearing) in reports.iter().zip(&bearing) {
            let streams: Vec<Stream<'a>> = match report {
                Report::Completion {
                    source,
                    scope,
                    class,
                    ..
                } => vec![Stream::Completions(Key::new(*class, source, scope))],
                _ => {
                    let bearing = bearing.iter().map(|index| &keys[*index]);
                    bearing
                        .map(|(uid, key)| Stream::Direct(uid, key.clone()))
                        .collect()
                }
            };
            let next = streams.into_iter().map(|stream| {
                let next = ids.len();
                *ids.entry(stream).or_insert(next)
            });
            own.push(next.collect());
        }

        let mut of_key: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); keys.len()];
        for (index, report) in reports.iter().enumerate() {
            for key in &bearing[index] {
                let streams = own[index].iter().copied();
                match report {
                    Report::Completion { .. } => of_key[*key].extend(streams),
                    // One report on several keys is not a stream of theirs together.
                    _ => {
                        let (uid, name) = &keys[*key];
                        of_key[*key].extend(ids.get(&Stream::Direct(uid, name.clone())));
                    }
                }
            }
        }

        let mut limits = Vec::new();
        for (index, report) in reports.iter().enumerate() {
            let related = bearing[index].iter().flat_map(|key| &of_key[*key]);
            let mut limit: BTreeMap<usize, usize> =
                related.map(|stream| (*stream, lateness.across)).collect();
            let within = match report {
                Report::Completion { .. } => lateness.scans,
                _ => lateness.direct,
            };
            limit.extend(own[index].iter().map(|stream| (*stream, within)));
            limits.push(limit);
        }

        let pending = copies.iter().map(|report| Pending {
            report: *report,
            late: BTreeMap::new(),
            arrived: false,
        });
        Arrivals {
            reports,
            own,
            limits,
            pending: pending.collect(),
            order: Vec::new(),
        }
    }

    /// Lets the report arrive, and before it all that would be too late after it.
    fn arrive(&mut self, index: usize) {
        if self.pending[index].arrived {
            return;
        }
        let report = self.pending[index].report;
        let is_duplicate = self.order.iter().any(|i| self.pending[*i].report == report);
        if is_duplicate {
            self.pending[index].arrived = true;
            self.order.push(index);
            return;
        }

        while let Some(forced) = self.forced_before(report) {
            self.arrive(forced);
        }

        self.pending[index].arrived = true;
        self.order.push(index);
        for other in 0..self.pending.len() {
            for stream in self.shared_streams(other, report) {
                *self.pending[other].late.entry(stream).or_default() += 1;
            }
        }
    }

    /// One that would be too late after the report.
    fn forced_before(&self, report: usize) -> Option<usize> {
        (0..self.pending.len()).find(|index| {
            let pending = &self.pending[*index];
            self.shared_streams(*index, report).iter().any(|stream| {
                let late = pending.late.get(stream).copied().unwrap_or_default();
                late >= self.limits[pending.report][stream]
            })
        })
    }

    /// The streams in which the pending one becomes later when the report arrives.
    fn shared_streams(&self, other: usize, report: usize) -> Vec<usize> {
        let pending = &self.pending[other];
        let is_later = time(&self.reports[pending.report]) < time(&self.reports[report]);
        if pending.arrived || !is_later {
            return Vec::new();
        }
        let streams = self.own[report].iter().copied();
        streams
            .filter(|stream| self.limits[pending.report].contains_key(stream))
            .collect()
    }
}

/// Every key that a report of the history may open.
fn keys(reports: &[Report]) -> Vec<(&str, Key)> {
    let mut keys = BTreeSet::new();
    for report in reports {
        match report {
            Report::Seen {
                uid,
                class,
                source,
                scope,
                ..
            }
            | Report::Removed {
                uid,
                class,
                source,
                scope,
                ..
            } => {
                keys.insert((uid.as_str(), Key::new(*class, source, scope)));
            }
            Report::DeleteEvent { uid, .. } => {
                // So that an event on an unknown uid has a stream, too.
                keys.insert((uid.as_str(), Key::new(Class::Actual, "", "")));
            }
            Report::Completion {
                source,
                scope,
                class,
                members,
                ..
            } => {
                let key = Key::new(*class, source, scope);
                keys.extend(members.keys().map(|uid| (uid.as_str(), key.clone())));
            }
        }
    }
    keys.into_iter().collect()
}

/// Whether the report may change what the claim key says.
fn bears(report: &Report, uid: &str, key: &Key) -> bool {
    let is_snapshot = matches!(key.class, Class::Edges | Class::Aliases);
    match report {
        Report::Seen {
            uid: of,
            class,
            source,
            scope,
            ..
        } => of == uid && Key::new(*class, source, scope) == *key,
        Report::Removed {
            uid: of,
            class,
            source,
            scope,
            ..
        } => {
            let applies = *class == key.class || is_snapshot;
            of == uid && applies && *source == key.source && *scope == key.scope
        }
        Report::DeleteEvent { uid: of, .. } => {
            of == uid && (is_snapshot || matches!(key.class, Class::Actual | Class::Created))
        }
        Report::Completion {
            source,
            scope,
            class,
            ..
        } => {
            if key.class == Class::Created {
                return *class == Class::Actual && *scope == key.scope;
            }
            let applies = *class == key.class || is_snapshot;
            let covers = *scope == key.scope || key.scope.starts_with(&format!("{scope}/"));
            applies && covers && *source == key.source
        }
    }
}
