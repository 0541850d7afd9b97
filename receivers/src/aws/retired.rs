//! Scopes that this configuration does not scan any more: the receiver releases what it reported in
//! them. Whether that exists is unknown then; nothing ends.
//!
//! | scope | released |
//! |---|---|
//! | of a kind or a region that no account is scanned for | before the first scan |
//! | of an account that is not scanned any more, or of other viewers of what is shared | after the scans of its kind and region |
//! | of another filter | with the completion of the scope that replaces it |

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use pipeline::Signal;
use pipeline::component::UnixNanos;
use pipeline::resource::Scan;
use pipeline::rows::Rows;
use pipeline::schema::nodes::group;
use tracing::{debug, info, warn};

use super::base::lock;
use super::kinds;
use super::known::Known;
use super::leases::Leases;
use super::names::{Configured, parts};
use super::scanner::Scanner;
use super::sink::Sink;

/// Scopes that are released with one batch.
const AT_ONCE: usize = 500;

/// The scopes in which this receiver has reported anything, by `region/kind`.
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes(Arc<Mutex<ByPlace>>);

type ByPlace = HashMap<Box<str>, BTreeSet<Arc<str>>>;

impl Scopes {
    pub(super) fn add(&self, scope: &Arc<str>) {
        let mut places = lock(&self.0);
        match places.get_mut(place_of(scope)) {
            Some(scopes) if scopes.contains(scope) => {}
            Some(scopes) => _ = scopes.insert(scope.clone()),
            None => _ = places.insert(place_of(scope).into(), [scope.clone()].into()),
        }
    }

    pub(super) fn remove(&self, scope: &Arc<str>) {
        if let Some(scopes) = lock(&self.0).get_mut(place_of(scope)) {
            scopes.remove(scope);
        }
    }

    /// Those of one `region/kind`.
    pub(super) fn in_place(&self, place: &str) -> Vec<Arc<str>> {
        let places = lock(&self.0);
        let scopes = places.get(place).into_iter().flatten();
        scopes.cloned().collect()
    }

    /// Those of one `account/region/kind`.
    pub(super) fn of(&self, base: &str) -> Vec<Arc<str>> {
        let places = lock(&self.0);
        let Some(scopes) = places.get(place_of(base)) else {
            return Vec::new();
        };
        let scopes =
            scopes.range::<str, _>((std::ops::Bound::Included(base), std::ops::Bound::Unbounded));
        let scopes = scopes.take_while(|scope| scope.starts_with(base));
        let is_of =
            |scope: &&Arc<str>| matches!(scope.as_bytes().get(base.len()), None | Some(b'/'));
        scopes.filter(is_of).cloned().collect()
    }

    /// Those of each `region/kind` that is not scanned.
    fn outside(&self, is_scanned: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        let places = lock(&self.0);
        let outside = places.iter().filter(|(place, _)| !is_scanned(place));
        outside.flat_map(|(_, scopes)| scopes.clone()).collect()
    }
}

/// The `region/kind` of a scope; all of it where it is of another form.
fn place_of(scope: &str) -> &str {
    parts(scope).map_or(scope, |(_, place, _)| place)
}

/// A row that releases a scope, at the time of this scan.
pub(super) fn release(scope: &str, scan: &Scan<'_>, rows: &mut Rows) {
    Scan { scope, ..*scan }.complete_in_part(rows, Vec::new());
}

impl Known {
    /// Releases these scopes, but those that another process scans.
    ///
    /// # Errors
    /// Why the rows were not delivered; what was not released is again at the next scan.
    pub(super) async fn release(
        &self,
        scopes: Vec<Arc<str>>,
        source: &str,
        began: UnixNanos,
        sink: &dyn Sink,
        leases: &Leases,
    ) -> Result<(), String> {
        let scopes = leases.take_all(scopes).await;
        let released = self.release_held(&scopes, source, began, sink).await;
        for scope in &scopes {
            leases.give_back(scope).await;
        }
        if released.is_ok() && !scopes.is_empty() {
            let scopes = scopes.len();
            info!(
                receiver = source,
                scopes, "released what is not scanned any more"
            );
        }
        released
    }

    async fn release_held(
        &self,
        scopes: &[Arc<str>],
        source: &str,
        began: UnixNanos,
        sink: &dyn Sink,
    ) -> Result<(), String> {
        for some in scopes.chunks(AT_ONCE) {
            let id = format!("{:x}", began.0);
            let mut rows = Rows::new(Signal::Resources);
            for scope in some {
                let scan = Scan {
                    source,
                    group: group::ACTUAL,
                    scope,
                    id: Some(&id),
                    began,
                };
                release(scope, &scan, &mut rows);
            }
            sink.take(rows).await?;
            for scope in some {
                debug!(receiver = source, %scope, "released");
                self.scopes.remove(scope);
                if let Some((account, place, _)) = parts(scope) {
                    let base = self.base(&format!("{account}/{place}"));
                    base.release_scopes(|told| told == scope.as_ref(), began);
                }
            }
        }
        Ok(())
    }
}

impl Scanner {
    /// Releases the scopes of kinds and regions that are scanned in no account.
    pub(super) async fn release_unscanned(&self, sink: &dyn Sink) {
        let configured = self.accounts.configured();
        if !configured.is_complete {
            return;
        }
        let left = (self.known.scopes).outside(|place| self.is_scanned(place, &configured));
        let now = UnixNanos::now();
        let released = self
            .known
            .release(left, &self.source, now, sink, &self.leases);
        if let Err(reason) = released.await {
            let receiver = &self.source;
            warn!(
                receiver,
                reason, "cannot release what is not scanned any more"
            );
        }
    }

    /// Whether a `region/kind` is scanned in any account.
    fn is_scanned(&self, place: &str, configured: &Configured) -> bool {
        let Some((region, kind)) = place.split_once('/') else {
            return false;
        };
        let is_kind = kinds::ALL.iter().any(|it| it.name() == kind);
        is_kind && self.config.kinds.take(kind) && configured.has_region(region)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Scopes;

    #[test]
    fn scopes_are_found_by_account_and_by_region_and_kind() {
        let scopes = Scopes::default();
        let all = [
            "1/eu/K",
            "1/eu/K/ab",
            "1/eu/K/shared/7",
            "1/eu/Kind",
            "1/us/K",
            "12/eu/K",
            "odd",
        ];
        let all = all.map(Arc::<str>::from);
        all.iter().for_each(|scope| scopes.add(scope));
        assert_eq!(scopes.of("1/eu/K"), all[..3]);
        assert_eq!(scopes.in_place("us/K"), all[4..5]);
        scopes.remove(&all[1]);
        assert_eq!(scopes.in_place("eu/K"), [0, 2, 5].map(|at| all[at].clone()));
        let mut outside = scopes.outside(|place| place.starts_with("eu/"));
        outside.sort();
        assert_eq!(outside, [&all[4], &all[6]].map(Arc::clone));
    }
}
