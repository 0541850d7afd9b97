//! Generates orders of arrival for the reports of a history, with bounded lateness.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::claims::{ClaimClass, Report};

use super::fold::ReplayKey;
use super::history::ReportHistory;

/// The greatest lateness of a report that must have the same effect as a report without lateness.
pub const MAX_LATENESS: usize = 14;

/// The limits on the lateness of reports. A report has lateness N in a stream if N reports of the stream with a later
/// time arrived before it. A stream is either all completions of one source, scope and class, or all rows, removals and
/// delete events that affect one claim.
#[derive(Clone, Copy, Debug)]
pub struct Lateness {
    /// The greatest lateness of a completion in the stream of its scope.
    pub completions: usize,
    /// The greatest lateness of a row, removal or delete event in the streams of its claims.
    pub direct: usize,
    /// The greatest lateness of a report in any other stream that affects one of its claims. Examples: a row in the
    /// stream of the completions that may end its claim, a completion in the stream of rows, the completion of a scope
    /// in the stream of a scope below it.
    pub other_streams: usize,
    /// Whether some reports arrive two or three times.
    pub duplicates: bool,
}

impl Lateness {
    /// At most [`MAX_LATENESS`] in every stream that affects a claim of the report; no duplicates.
    pub const BOUNDED: Lateness = Lateness {
        completions: MAX_LATENESS,
        direct: MAX_LATENESS,
        other_streams: MAX_LATENESS,
        duplicates: false,
    };
}

/// Identifies a stream of reports; see [`Lateness`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum ReportStream<'a> {
    Completions(ReplayKey),
    /// The uid and the key of the claim.
    Direct(&'a str, ReplayKey),
}

/// One copy of a report.
struct ReportCopy {
    /// The index of the report in the history.
    report: usize,
    /// The current lateness of the copy, by stream.
    lateness: BTreeMap<usize, usize>,
    arrived: bool,
}

/// Builds an order of arrival, copy by copy, and keeps the lateness of each copy within its limits.
struct ArrivalOrder<'a> {
    reports: &'a [Report],
    /// For each report, the numbers of the streams that it belongs to.
    own_streams: Vec<BTreeSet<usize>>,
    /// For each report, its greatest lateness in each stream that affects one of its claims.
    limits: Vec<BTreeMap<usize, usize>>,
    copies: Vec<ReportCopy>,
    /// Indices of `copies` in order of arrival.
    order: Vec<usize>,
}

impl ReportHistory {
    /// Returns the reports in a random order within [`Lateness::BOUNDED`].
    pub fn arrival_order(&self, seed: u64) -> Vec<Report> {
        self.arrival_order_within(seed, Lateness::BOUNDED)
    }

    /// Like [`ReportHistory::arrival_order`], but about a third of the reports arrive two or three times.
    pub fn arrival_order_with_duplicates(&self, seed: u64) -> Vec<Report> {
        let lateness = Lateness {
            duplicates: true,
            ..Lateness::BOUNDED
        };
        self.arrival_order_within(seed, lateness)
    }

    /// Returns the reports in a random order within these limits of lateness. One seed always gives the same order.
    pub fn arrival_order_within(&self, seed: u64, lateness: Lateness) -> Vec<Report> {
        let mut rng = StdRng::seed_from_u64(seed);
        let count = self.reports.len();
        let mut copies: Vec<usize> = (0..count).collect();
        if lateness.duplicates {
            copies.extend((0..count).filter(|_| rng.random_bool(0.25)));
            copies.extend((0..count).filter(|_| rng.random_bool(0.15)));
        }
        // Most reports keep about their position. The others are delayed, but only as far as their limits allow.
        let delayed_share = rng.random_range(0.0..0.5);
        let mut positions: Vec<(usize, usize)> = Vec::new();
        for (index, report) in copies.iter().enumerate() {
            let delay = if rng.random_bool(delayed_share) {
                rng.random_range(0..=count)
            } else {
                rng.random_range(0..=4)
            };
            positions.push((report + delay, index));
        }
        positions.sort_unstable();

        let mut arrival = ArrivalOrder::new(&self.reports, &copies, lateness);
        for (_, index) in positions {
            arrival.append(index);
        }
        let order = arrival.order.iter();
        order
            .map(|index| self.reports[copies[*index]].clone())
            .collect()
    }
}

impl<'a> ArrivalOrder<'a> {
    /// `copies` holds the index of the report of each copy.
    fn new(reports: &'a [Report], copies: &[usize], lateness: Lateness) -> ArrivalOrder<'a> {
        let claims = claim_keys(reports);
        let affected_claims: Vec<BTreeSet<usize>> = reports
            .iter()
            .map(|report| {
                let all = claims.iter().enumerate();
                let affected = all.filter(|(_, (uid, key))| affects(report, uid, key));
                affected.map(|(index, _)| index).collect()
            })
            .collect();

        let mut ids: BTreeMap<ReportStream<'a>, usize> = BTreeMap::new();
        let mut own_streams: Vec<BTreeSet<usize>> = Vec::new();
        for (report, affected) in reports.iter().zip(&affected_claims) {
            let streams: Vec<ReportStream<'a>> = match report {
                Report::Completion {
                    source,
                    scope,
                    class,
                    ..
                } => vec![ReportStream::Completions(ReplayKey::new(
                    *class, source, scope,
                ))],
                _ => {
                    let affected = affected.iter().map(|index| &claims[*index]);
                    affected
                        .map(|(uid, key)| ReportStream::Direct(uid, key.clone()))
                        .collect()
                }
            };
            let stream_ids = streams.into_iter().map(|stream| {
                let next = ids.len();
                *ids.entry(stream).or_insert(next)
            });
            own_streams.push(stream_ids.collect());
        }

        let mut streams_of_claim: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); claims.len()];
        for (index, report) in reports.iter().enumerate() {
            for claim in &affected_claims[index] {
                let streams = own_streams[index].iter().copied();
                match report {
                    Report::Completion { .. } => streams_of_claim[*claim].extend(streams),
                    // A direct report that affects several claims does not merge their streams.
                    _ => {
                        let (uid, key) = &claims[*claim];
                        streams_of_claim[*claim]
                            .extend(ids.get(&ReportStream::Direct(uid, key.clone())));
                    }
                }
            }
        }

        let mut limits = Vec::new();
        for (index, report) in reports.iter().enumerate() {
            let affected = affected_claims[index].iter();
            let related = affected.flat_map(|claim| &streams_of_claim[*claim]);
            let mut limit: BTreeMap<usize, usize> = related
                .map(|stream| (*stream, lateness.other_streams))
                .collect();
            let own_limit = match report {
                Report::Completion { .. } => lateness.completions,
                _ => lateness.direct,
            };
            limit.extend(own_streams[index].iter().map(|stream| (*stream, own_limit)));
            limits.push(limit);
        }

        let copies = copies.iter().map(|report| ReportCopy {
            report: *report,
            lateness: BTreeMap::new(),
            arrived: false,
        });
        ArrivalOrder {
            reports,
            own_streams,
            limits,
            copies: copies.collect(),
            order: Vec::new(),
        }
    }

    /// Appends a copy to the order. First appends all copies that would exceed their limits if they arrived after it.
    fn append(&mut self, index: usize) {
        if self.copies[index].arrived {
            return;
        }
        let report = self.copies[index].report;
        let is_duplicate = self.order.iter().any(|i| self.copies[*i].report == report);
        if is_duplicate {
            self.copies[index].arrived = true;
            self.order.push(index);
            return;
        }

        while let Some(required) = self.required_before(report) {
            self.append(required);
        }

        self.copies[index].arrived = true;
        self.order.push(index);
        for other in 0..self.copies.len() {
            for stream in self.streams_with_more_lateness(other, report) {
                *self.copies[other].lateness.entry(stream).or_default() += 1;
            }
        }
    }

    /// A copy that must arrive before the report, since it would exceed a limit if it arrived after the report.
    fn required_before(&self, report: usize) -> Option<usize> {
        (0..self.copies.len()).find(|index| {
            let copy = &self.copies[*index];
            let streams = self.streams_with_more_lateness(*index, report);
            streams.iter().any(|stream| {
                let lateness = copy.lateness.get(stream).copied().unwrap_or_default();
                lateness >= self.limits[copy.report][stream]
            })
        })
    }

    /// The streams in which the lateness of a copy grows by 1 if the report arrives before the copy. The list is empty
    /// if the copy has already arrived, or if the report does not have a later time.
    fn streams_with_more_lateness(&self, copy: usize, report: usize) -> Vec<usize> {
        let copy = &self.copies[copy];
        let is_later = self.reports[copy.report].time() < self.reports[report].time();
        if copy.arrived || !is_later {
            return Vec::new();
        }
        let streams = self.own_streams[report].iter().copied();
        streams
            .filter(|stream| self.limits[copy.report].contains_key(stream))
            .collect()
    }
}

/// The uid and key of each claim that the reports name.
fn claim_keys(reports: &[Report]) -> Vec<(&str, ReplayKey)> {
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
                keys.insert((uid.as_str(), ReplayKey::new(*class, source, scope)));
            }
            Report::DeleteEvent { uid, .. } => {
                // With this key, a delete event of a uid without claims has a stream, too.
                keys.insert((uid.as_str(), ReplayKey::new(ClaimClass::Actual, "", "")));
            }
            Report::Completion {
                source,
                scope,
                class,
                members,
                ..
            } => {
                let key = ReplayKey::new(*class, source, scope);
                keys.extend(members.keys().map(|uid| (uid.as_str(), key.clone())));
            }
        }
    }
    keys.into_iter().collect()
}

/// Whether the report may change the claim with this uid and key.
fn affects(report: &Report, uid: &str, key: &ReplayKey) -> bool {
    let is_snapshot = matches!(key.class, ClaimClass::Edges | ClaimClass::Aliases);
    match report {
        Report::Seen {
            uid: reported,
            class,
            source,
            scope,
            ..
        } => reported == uid && ReplayKey::new(*class, source, scope) == *key,
        Report::Removed {
            uid: reported,
            class,
            source,
            scope,
            ..
        } => {
            let applies = *class == key.class || is_snapshot;
            reported == uid && applies && *source == key.source && *scope == key.scope
        }
        Report::DeleteEvent { uid: reported, .. } => {
            reported == uid
                && (is_snapshot || matches!(key.class, ClaimClass::Actual | ClaimClass::Created))
        }
        Report::Completion {
            source,
            scope,
            class,
            ..
        } => {
            if key.class == ClaimClass::Created {
                return *class == ClaimClass::Actual && *scope == key.scope;
            }
            let applies = *class == key.class || is_snapshot;
            let covers = *scope == key.scope || key.scope.starts_with(&format!("{scope}/"));
            applies && covers && *source == key.source
        }
    }
}
