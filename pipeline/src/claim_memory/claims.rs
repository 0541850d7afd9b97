//! The claims of one uid, as small as they get.

use super::scopes::{KeyNumber, Scopes};
use crate::claims::{By, Claim, Ending, Existence, Point, Removal, Stretch, What, existence};
use crate::component::UnixNanos;
use crate::graph_store::At;

/// All claims of one uid. `T` is what the owner keeps beside each.
#[derive(Clone, Debug)]
pub struct HeldClaims<T = ()>(Vec<HeldClaim<T>>);

#[derive(Clone, Debug)]
pub struct HeldClaim<T = ()> {
    pub key: KeyNumber,
    pub beside: T,
    stretches: Stretches,
}

#[derive(Clone, Debug)]
enum Stretches {
    None,
    /// One open stretch, with the report that opened it and no other.
    Opened {
        since: UnixNanos,
        /// Later than `since` where a store knows a later confirmation.
        seen: UnixNanos,
        state: u64,
        by: By,
    },
    Folded(Box<[Stretch]>),
}

impl<T> Default for HeldClaims<T> {
    fn default() -> HeldClaims<T> {
        HeldClaims(Vec::new())
    }
}

impl<T: Default> HeldClaims<T> {
    /// The claim of a key, which is made where there is none.
    pub fn of(&mut self, key: KeyNumber) -> &mut HeldClaim<T> {
        let place = self.place(key).unwrap_or_else(|| {
            self.0.reserve_exact(1);
            self.0.push(HeldClaim {
                key,
                beside: T::default(),
                stretches: Stretches::None,
            });
            self.0.len() - 1
        });
        &mut self.0[place]
    }
}

impl<T> HeldClaims<T> {
    pub fn iter(&self) -> impl Iterator<Item = &HeldClaim<T>> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut HeldClaim<T>> {
        self.0.iter_mut()
    }

    pub fn get(&self, key: KeyNumber) -> Option<&HeldClaim<T>> {
        self.0.iter().find(|claim| claim.key == key)
    }

    /// The claim in a place; places stay until [`HeldClaims::retain`].
    pub fn at(&self, place: usize) -> Option<&HeldClaim<T>> {
        self.0.get(place)
    }

    pub fn place(&self, key: KeyNumber) -> Option<usize> {
        self.0.iter().position(|claim| claim.key == key)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn retain(&mut self, stays: impl FnMut(&HeldClaim<T>) -> bool) {
        self.0.retain(stays);
    }

    /// Whether the uid exists at a moment.
    pub fn existence(&self, scopes: &Scopes, at: At) -> Existence {
        let lifecycle = self.0.iter().filter(|claim| {
            let class = scopes.key(claim.key).class;
            class.is_lifecycle() && claim.is_reported()
        });
        let opened = lifecycle.map(|claim| match claim.stretches {
            Stretches::Opened { since, .. } => Some(since),
            _ => None,
        });
        // As of nearly all: nothing of it ever ended.
        if let Some(opened) = opened.collect::<Option<Vec<UnixNanos>>>() {
            let is_open = |since: &UnixNanos| match at {
                At::Now => true,
                At::Time(time) => *since <= time,
            };
            return match opened.iter().any(is_open) {
                true => Existence::Exists,
                false => Existence::Unknown,
            };
        }
        existence(&self.to_claims(scopes), scopes, at)
    }

    /// In the form of the rules.
    pub fn to_claims(&self, scopes: &Scopes) -> Vec<Claim> {
        let claims = self.0.iter().map(|claim| Claim {
            key: scopes.key(claim.key).clone(),
            stretches: claim.stretches(),
        });
        claims.collect()
    }

    /// When events deleted the uid.
    pub fn delete_events(&self) -> Vec<UnixNanos> {
        let folded = self.0.iter().flat_map(HeldClaim::folded);
        let points = folded.flat_map(|stretch| &stretch.points);
        let deleted = points.filter(|point| point.what == What::Deleted);
        let mut times: Vec<UnixNanos> = deleted.map(|point| point.time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Takes over when the claims of the same uid in another form were confirmed, where both have them
    /// open with the same state.
    pub fn confirm_as<U>(&mut self, other: &HeldClaims<U>) {
        for claim in &mut self.0 {
            let same = other.get(claim.key).filter(|it| it.open() == claim.open());
            if let Some(same) = same {
                claim.confirm(same.last_seen());
            }
        }
    }

    /// Forgets what was over before a time, but for how each claim ended at last.
    pub fn forget(&mut self, before: UnixNanos) {
        for claim in &mut self.0 {
            claim.forget(before);
        }
    }

    /// Bytes on the heap.
    pub fn held_bytes(&self) -> usize {
        let stretches =
            self.0.iter().flat_map(HeldClaim::folded).map(|stretch| {
                size_of::<Stretch>() + stretch.points.capacity() * size_of::<Point>()
            });
        self.0.capacity() * size_of::<HeldClaim<T>>() + stretches.sum::<usize>()
    }
}

impl<T> HeldClaim<T> {
    /// Whether anything was ever reported of it.
    pub fn is_reported(&self) -> bool {
        !matches!(self.stretches, Stretches::None)
    }

    /// The state that holds now, and since when.
    pub fn open(&self) -> Option<(u64, UnixNanos)> {
        match &self.stretches {
            Stretches::Opened { since, state, .. } => Some((*state, *since)),
            Stretches::Folded(all) => {
                let last = all.last().filter(|last| last.is_open())?;
                Some((last.state, last.since))
            }
            Stretches::None => None,
        }
    }

    /// Since when the last stretch holds, or held.
    pub fn last_since(&self) -> Option<UnixNanos> {
        match &self.stretches {
            Stretches::Opened { since, .. } => Some(*since),
            Stretches::Folded(all) => all.last().map(|last| last.since),
            Stretches::None => None,
        }
    }

    /// When a report about the uid itself last confirmed it, or ended it.
    pub fn last_report(&self) -> UnixNanos {
        match &self.stretches {
            Stretches::Opened { since, .. } => *since,
            Stretches::Folded(all) => all.last().map_or(UnixNanos(0), Stretch::last_report),
            Stretches::None => UnixNanos(0),
        }
    }

    /// When the last stretch was confirmed; scans of its scope that were taken in here are not among what
    /// confirms it.
    pub fn last_seen(&self) -> UnixNanos {
        match &self.stretches {
            Stretches::Opened { seen, .. } => *seen,
            Stretches::Folded(all) => all.last().map_or(UnixNanos(0), |last| last.seen),
            Stretches::None => UnixNanos(0),
        }
    }

    /// When a confirmation that only a store knows came last, and the state: no report that is kept is as
    /// new.
    pub(super) fn confirmed(&self) -> Option<(UnixNanos, u64)> {
        let (state, since) = self.open()?;
        let reported = match &self.stretches {
            Stretches::Folded(all) => all.last()?.points.last().map_or(since, |it| it.time),
            _ => since,
        };
        let seen = self.last_seen();
        (seen > reported).then_some((seen, state))
    }

    /// Notes that the open stretch was confirmed at a time at least.
    pub(super) fn confirm(&mut self, time: UnixNanos) {
        match &mut self.stretches {
            Stretches::Opened { seen, .. } => *seen = time.max(*seen),
            Stretches::Folded(all) => {
                if let Some(last) = all.last_mut().filter(|last| last.is_open()) {
                    last.seen = time.max(last.seen);
                }
            }
            Stretches::None => {}
        }
    }

    /// Its stretches that have a value, oldest first: state, since, until and how they ended.
    pub fn held(&self) -> impl Iterator<Item = (u64, UnixNanos, Option<(UnixNanos, Ending)>)> {
        let opened = match &self.stretches {
            Stretches::Opened { since, state, .. } => Some((*state, *since, None)),
            _ => None,
        };
        let folded = self.folded().iter().filter(|stretch| !stretch.is_empty());
        let folded = folded.map(|stretch| (stretch.state, stretch.since, stretch.until));
        opened.into_iter().chain(folded)
    }

    /// When removals were reported of it; delete events are not among them.
    pub fn own_removals(&self) -> impl Iterator<Item = (UnixNanos, Removal)> {
        let points = self.folded().iter().flat_map(|stretch| &stretch.points);
        points.filter_map(|point| match point.what {
            What::Removed(how) => Some((point.time, how)),
            What::Seen { .. } | What::Deleted => None,
        })
    }

    pub(super) fn reports(&self, point: &Point) -> bool {
        match &self.stretches {
            Stretches::Opened {
                since, state, by, ..
            } => *point == opening(*since, *state, *by),
            Stretches::Folded(all) => all.iter().any(|it| it.points.contains(point)),
            Stretches::None => false,
        }
    }

    pub(super) fn stretches(&self) -> Vec<Stretch> {
        match &self.stretches {
            Stretches::Opened {
                since,
                seen,
                state,
                by,
            } => {
                let opened = Stretch::opened(*since, *state, *by);
                vec![Stretch {
                    seen: *seen,
                    ..opened
                }]
            }
            Stretches::Folded(all) => all.to_vec(),
            Stretches::None => Vec::new(),
        }
    }

    pub(super) fn set(&mut self, mut stretches: Vec<Stretch>) {
        self.stretches = match stretches.as_slice() {
            [] => Stretches::None,
            [only] => match opened_by(only) {
                Some(by) => Stretches::Opened {
                    since: only.since,
                    seen: only.seen,
                    state: only.state,
                    by,
                },
                None => Stretches::Folded(shrunk(stretches)),
            },
            _ => {
                stretches.shrink_to_fit();
                Stretches::Folded(shrunk(stretches))
            }
        };
    }

    fn folded(&self) -> &[Stretch] {
        match &self.stretches {
            Stretches::Folded(all) => all,
            _ => &[],
        }
    }

    fn forget(&mut self, before: UnixNanos) {
        let is_over = |stretch: &Stretch| stretch.until.is_some_and(|(until, _)| until < before);
        let is_old = |stretch: &Stretch| {
            let points = stretch.points.iter();
            let opens = |point: &&Point| point.time == stretch.since;
            let mut rest = points.filter(|point| !opens(point));
            rest.any(|point| point.time < before && point.is_sighting())
        };
        let Stretches::Folded(all) = &self.stretches else {
            return;
        };
        let past = all.len().saturating_sub(1);
        if !all[..past].iter().any(is_over) && !all.iter().any(is_old) {
            return;
        }
        let mut all = all.to_vec();
        let over = all[..past].iter().take_while(|it| is_over(it)).count();
        all.drain(..over);
        for stretch in &mut all {
            let since = stretch.since;
            stretch.points.retain(|point| {
                point.time >= before || !point.is_sighting() || point.time == since
            });
        }
        self.set(all);
    }
}

fn opening(since: UnixNanos, state: u64, by: By) -> Point {
    Point {
        time: since,
        what: What::Seen { state, by },
    }
}

/// Which row opened the stretch, where nothing else is known of it.
fn opened_by(stretch: &Stretch) -> Option<By> {
    let [point] = stretch.points.as_slice() else {
        return None;
    };
    let What::Seen { state, by } = point.what else {
        return None;
    };
    let is_all = stretch.is_open()
        && *point == opening(stretch.since, stretch.state, by)
        && state == stretch.state;
    is_all.then_some(by)
}

fn shrunk(mut stretches: Vec<Stretch>) -> Box<[Stretch]> {
    for stretch in &mut stretches {
        stretch.points.shrink_to_fit();
    }
    stretches.into()
}
