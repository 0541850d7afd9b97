//! Releases the scopes that the configuration no longer includes. Whether their resources still exist is then
//! unknown; they are not deleted.
//!
//! | scope | released |
//! |---|---|
//! | of a kind or region that is scanned in no account | before the first scan |
//! | of a removed account; of shared resources with other viewers | after the scans of its kind and region |
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
use super::known::Inventory;
use super::leases::Leases;
use super::names::{ConfiguredAccounts, parse_scope};
use super::scanner::Scanner;
use super::sink::Sink;

/// Scopes of one batch.
const AT_ONCE: usize = 500;

/// The scopes in which this receiver has reported anything, by `region/kind`.
#[derive(Clone, Debug, Default)]
pub(super) struct ReportedScopes(Arc<Mutex<ScopesByRegionKind>>);

type ScopesByRegionKind = HashMap<Box<str>, BTreeSet<Arc<str>>>;

impl ReportedScopes {
    pub(super) fn add(&self, scope: &Arc<str>) {
        let mut by_region_kind = lock(&self.0);
        match by_region_kind.get_mut(region_kind_of(scope)) {
            Some(scopes) if scopes.contains(scope) => {}
            Some(scopes) => _ = scopes.insert(scope.clone()),
            None => _ = by_region_kind.insert(region_kind_of(scope).into(), [scope.clone()].into()),
        }
    }

    pub(super) fn remove(&self, scope: &Arc<str>) {
        if let Some(scopes) = lock(&self.0).get_mut(region_kind_of(scope)) {
            scopes.remove(scope);
        }
    }

    /// The scopes of one `region/kind`.
    pub(super) fn of_region_kind(&self, region_kind: &str) -> Vec<Arc<str>> {
        let by_region_kind = lock(&self.0);
        let scopes = by_region_kind.get(region_kind).into_iter().flatten();
        scopes.cloned().collect()
    }

    /// The scopes whose names begin with this `account/region/kind`.
    pub(super) fn under_prefix(&self, prefix: &str) -> Vec<Arc<str>> {
        let by_region_kind = lock(&self.0);
        let Some(scopes) = by_region_kind.get(region_kind_of(prefix)) else {
            return Vec::new();
        };
        let scopes = scopes.range::<str, _>((
            std::ops::Bound::Included(prefix),
            std::ops::Bound::Unbounded,
        ));
        let scopes = scopes.take_while(|scope| scope.starts_with(prefix));
        let is_whole_name =
            |scope: &&Arc<str>| matches!(scope.as_bytes().get(prefix.len()), None | Some(b'/'));
        scopes.filter(is_whole_name).cloned().collect()
    }

    /// The scopes of each `region/kind` that is not scanned.
    fn outside(&self, is_scanned: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        let by_region_kind = lock(&self.0);
        let outside = by_region_kind.iter();
        let outside = outside.filter(|(region_kind, _)| !is_scanned(region_kind));
        outside.flat_map(|(_, scopes)| scopes.clone()).collect()
    }
}

/// The `region/kind` of a scope; the whole name where it has another form.
fn region_kind_of(scope: &str) -> &str {
    parse_scope(scope).map_or(scope, |(_, region_kind, _)| region_kind)
}

/// Writes the row that releases a scope: a completion without members, at the time of this scan.
pub(super) fn write_release(scope: &str, scan: &Scan<'_>, rows: &mut Rows) {
    Scan { scope, ..*scan }.complete_in_part(rows, Vec::new());
}

impl Inventory {
    /// Releases these scopes, except those whose lease another process holds.
    ///
    /// # Errors
    /// Why the rows were not acknowledged. The next scan releases what is left.
    pub(super) async fn release(
        &self,
        scopes: Vec<Arc<str>>,
        source: &str,
        began: UnixNanos,
        sink: &dyn Sink,
        leases: &Leases,
    ) -> Result<(), String> {
        let scopes = leases.acquire_all(scopes).await;
        let released = self.release_held(&scopes, source, began, sink).await;
        for scope in &scopes {
            leases.release(scope).await;
        }
        if released.is_ok() && !scopes.is_empty() {
            let scopes = scopes.len();
            info!(
                receiver = source,
                scopes, "released scopes that are no longer scanned"
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
                write_release(scope, &scan, &mut rows);
            }
            sink.deliver(rows).await?;
            for scope in some {
                debug!(receiver = source, %scope, "released");
                self.scopes.remove(scope);
                if let Some((account, region_kind, _)) = parse_scope(scope) {
                    let known = self.resources(&format!("{account}/{region_kind}"));
                    known.release_scopes(|reported| reported == scope.as_ref(), began);
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
        let scopes = &self.inventory.scopes;
        let outside = scopes.outside(|region_kind| self.is_scanned(region_kind, &configured));
        let now = UnixNanos::now();
        let released = self
            .inventory
            .release(outside, &self.source, now, sink, &self.leases);
        if let Err(reason) = released.await {
            let receiver = &self.source;
            warn!(
                receiver,
                reason, "cannot release scopes that are no longer scanned"
            );
        }
    }

    /// Whether a `region/kind` is scanned in any account.
    fn is_scanned(&self, region_kind: &str, configured: &ConfiguredAccounts) -> bool {
        let Some((region, kind)) = region_kind.split_once('/') else {
            return false;
        };
        let is_kind = kinds::ALL.iter().any(|it| it.name() == kind);
        is_kind && self.config.kinds.includes(kind) && configured.has_region(region)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::ReportedScopes;

    #[test]
    fn scopes_are_selected_by_prefix_and_by_region_and_kind() {
        let scopes = ReportedScopes::default();
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
        assert_eq!(scopes.under_prefix("1/eu/K"), all[..3]);
        assert_eq!(scopes.of_region_kind("us/K"), all[4..5]);
        scopes.remove(&all[1]);
        assert_eq!(
            scopes.of_region_kind("eu/K"),
            [0, 2, 5].map(|at| all[at].clone())
        );
        let mut outside = scopes.outside(|region_kind| region_kind.starts_with("eu/"));
        outside.sort();
        assert_eq!(outside, [&all[4], &all[6]].map(Arc::clone));
    }
}
