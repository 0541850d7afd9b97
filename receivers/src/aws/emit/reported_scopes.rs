//! The scopes in which this receiver has reported resources.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use pipeline::sync::lock;

use super::scope_names::parse_scope;

/// The reported scopes, by `region/kind`.
#[derive(Clone, Debug, Default)]
pub(in crate::aws) struct ReportedScopes(Arc<Mutex<ScopesByRegionKind>>);

type ScopesByRegionKind = HashMap<Box<str>, BTreeSet<Arc<str>>>;

impl ReportedScopes {
    pub(in crate::aws) fn add(&self, scope: &Arc<str>) {
        let mut by_region_kind = lock(&self.0);
        match by_region_kind.get_mut(region_kind_of(scope)) {
            Some(scopes) if scopes.contains(scope) => {}
            Some(scopes) => _ = scopes.insert(scope.clone()),
            None => _ = by_region_kind.insert(region_kind_of(scope).into(), [scope.clone()].into()),
        }
    }

    pub(in crate::aws) fn remove(&self, scope: &Arc<str>) {
        if let Some(scopes) = lock(&self.0).get_mut(region_kind_of(scope)) {
            scopes.remove(scope);
        }
    }

    /// The scopes of one `region/kind`.
    pub(in crate::aws) fn of_region_kind(&self, region_kind: &str) -> Vec<Arc<str>> {
        let by_region_kind = lock(&self.0);
        let scopes = by_region_kind.get(region_kind).into_iter().flatten();
        scopes.cloned().collect()
    }

    /// The scopes whose names begin with this `account/region/kind`.
    pub(in crate::aws) fn under_prefix(&self, prefix: &str) -> Vec<Arc<str>> {
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

    /// The scopes of each `region/kind` for which `is_scanned` is false.
    pub(in crate::aws) fn outside(&self, is_scanned: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        let by_region_kind = lock(&self.0);
        let outside = by_region_kind.iter();
        let outside = outside.filter(|(region_kind, _)| !is_scanned(region_kind));
        outside.flat_map(|(_, scopes)| scopes.clone()).collect()
    }
}

/// The `region/kind` of a scope, or the whole name if it has another form.
fn region_kind_of(scope: &str) -> &str {
    parse_scope(scope).map_or(scope, |(_, region_kind, _)| region_kind)
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
