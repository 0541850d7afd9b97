//! Refreshes single uids without waiting for the next scan: describes each uid and reports its current state.

use std::collections::BTreeSet;

use arrow_array::Array;
use async_trait::async_trait;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::iter;
use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::{Batch, Signal, uid};
use tracing::debug;

use super::scanner::Scanner;
use super::scope::ScanScope;
use super::shared::SharedViews;
use crate::aws::api::{FailureLog, ScanFailure};
use crate::aws::emit::{RowSink, ScopeWriter};
use crate::aws::kinds;
use crate::aws::listing::{
    ListTarget, ListedResource, PageSink, PageWriter, ResourceKind, kind_of_uid,
};

/// The maximum number of uids that are refreshed concurrently.
const CONCURRENT_REFRESHES: usize = 4;

impl Scanner {
    /// Refreshes the requested uids. An unchanged resource is reported, too.
    pub(in crate::aws) async fn refresh(&self, requests: &Batch, sink: &dyn RowSink) {
        let uids = requests.uid();
        let requested: BTreeSet<&str> = (0..uids.len())
            .filter(|row| uids.is_valid(*row))
            .map(|row| uids.value(row))
            .collect();
        self.refresh_uids(requested, sink).await;
    }

    /// Refreshes these uids, several of them concurrently.
    pub(in crate::aws) async fn refresh_uids<'u>(
        &self,
        uids: impl IntoIterator<Item = &'u str>,
        sink: &dyn RowSink,
    ) {
        let refresh = |uid| -> BoxFuture<'_, ()> { Box::pin(self.refresh_uid(uid, sink)) };
        let refreshes: Vec<_> = uids.into_iter().map(refresh).collect();
        let mut refreshes = iter(refreshes).buffer_unordered(CONCURRENT_REFRESHES);
        while refreshes.next().await.is_some() {}
    }

    /// Looks the uid up in the scope of its owner, and reports its current state. If the ARN has no account, tries the
    /// scopes of all accounts until one decides the state. If the owner is not scanned, combines the views of all
    /// scanned accounts.
    async fn refresh_uid(&self, uid: &str, sink: &dyn RowSink) {
        let Some((kind, owner, region)) = kind_of_uid(kinds::ALL, uid) else {
            return self.log_out_of_scope(uid);
        };
        let (scopes, is_complete) = self.scopes_in(kind, region).await;
        let hash = uid::hash(uid);
        let (mut owner_scopes, other_scopes): (Vec<_>, Vec<_>) = scopes
            .into_iter()
            .partition(|scope| owner.is_empty() || owner == scope.at.account);
        owner_scopes.sort_by_key(|scope| !scope.writer.known.contains(hash));
        if owner_scopes.is_empty() && other_scopes.is_empty() {
            return self.log_out_of_scope(uid);
        }
        let began = UnixNanos::now();
        // If the ARN has no account, any account may own it. The account that reported the uid comes first.
        for scope in &owner_scopes {
            match self.look_up(uid, scope).await {
                LookupResult::Found(item) => {
                    return self.report_current(&scope.writer, *item, began, sink).await;
                }
                LookupResult::NotFound => {
                    // Only reports under this filter matter: a `deleted` row does not end those under other filters.
                    let is_covered =
                        |reported: &str| scope.names.covers(&scope.at.account, reported);
                    if scope.writer.known.is_reported_in(is_covered, hash) {
                        return self.report_deleted(&scope.writer, uid, began, sink).await;
                    }
                }
                LookupResult::FilteredOut => {
                    return self.report_released(&scope.writer, uid, began, sink).await;
                }
                LookupResult::Unknown => return,
            }
        }
        let (true, true, Some(ScanScope { shared, .. })) =
            (owner_scopes.is_empty(), is_complete, other_scopes.first())
        else {
            return;
        };
        if shared.is_reported_by(owner) {
            return;
        }
        let (mut views, mut is_filtered_out) = (SharedViews::default(), false);
        for scope in &other_scopes {
            match self.look_up(uid, scope).await {
                LookupResult::Found(item) => views.add(&scope.at.account, *item),
                LookupResult::NotFound => {}
                LookupResult::FilteredOut => is_filtered_out = true,
                LookupResult::Unknown => return,
            }
        }
        let writer = shared.writer(owner);
        match views.into_single() {
            Some(item) => self.report_current(&writer, item, began, sink).await,
            None if is_filtered_out => self.report_released(&writer, uid, began, sink).await,
            None => {
                let is_this_scope = |reported: &str| reported == writer.scope.as_ref();
                if writer.known.is_reported_in(is_this_scope, hash) {
                    self.report_deleted(&writer, uid, began, sink).await;
                }
            }
        }
    }

    fn log_out_of_scope(&self, uid: &str) {
        let receiver = &self.source;
        debug!(
            receiver,
            uid, "ignored a refresh request: no scope of this receiver can contain the uid"
        );
    }

    /// Looks up a uid in one scope.
    async fn look_up(&self, uid: &str, scope: &ScanScope) -> LookupResult {
        let mut lookup = UidLookup {
            uid,
            failures: &self.failures,
            found: None,
            is_filtered_out: false,
            is_incomplete: false,
        };
        let kind = scope.names.kind;
        let mut out = PageWriter {
            kind: kind.info(),
            draft: &|item, at| kind.draft(item, at),
            at: &scope.at,
            tags: &self.config.tags,
            sink: &mut lookup,
        };
        let listed = kind.list(&scope.at, ListTarget(Some(uid)), &mut out).await;
        if let Err(failure) = listed
            && !failure.is_not_found()
        {
            self.failures.record(&failure);
            return LookupResult::Unknown;
        }
        match lookup.found {
            // A resource with missing details keeps its last report.
            _ if lookup.is_incomplete => LookupResult::Unknown,
            Some(item) => LookupResult::Found(Box::new(item)),
            None if lookup.is_filtered_out => LookupResult::FilteredOut,
            None => LookupResult::NotFound,
        }
    }

    async fn report_current(
        &self,
        writer: &ScopeWriter,
        item: ListedResource,
        began: UnixNanos,
        sink: &dyn RowSink,
    ) {
        let scan = writer.new_scan(&self.source, None, began);
        let mut rows = Rows::new(Signal::Resources);
        let state = item.resource.state();
        let hash = uid::hash(&item.resource.uid);
        let change = writer.known.change_of(hash, state, &writer.scope);
        let reported = writer.write_resource(&item, state, change, &scan, &mut rows);
        if self.deliver(writer, rows, sink).await {
            writer.known.record([reported]);
        }
    }

    async fn report_deleted(
        &self,
        writer: &ScopeWriter,
        uid: &str,
        began: UnixNanos,
        sink: &dyn RowSink,
    ) {
        let scan = writer.new_scan(&self.source, None, began);
        let mut rows = Rows::new(Signal::Resources);
        writer.write_deleted(uid, &scan, &mut rows);
        if self.deliver(writer, rows, sink).await {
            writer.known.remove_refreshed(uid, began);
        }
    }

    /// Releases a uid that exists and that the filter excludes. Does nothing unless the last report of the uid is in
    /// this scope.
    async fn report_released(
        &self,
        writer: &ScopeWriter,
        uid: &str,
        began: UnixNanos,
        sink: &dyn RowSink,
    ) {
        let last_state = writer.known.state_in(uid::hash(uid), &writer.scope);
        if last_state.is_none() {
            return;
        }
        let scan = writer.new_scan(&self.source, None, began);
        let mut rows = Rows::new(Signal::Resources);
        writer.write_released(uid, &scan, &mut rows);
        if self.deliver(writer, rows, sink).await {
            writer.known.release(uid, began);
        }
    }

    /// Delivers rows. Returns whether they were acknowledged; a failure is logged.
    async fn deliver(&self, writer: &ScopeWriter, rows: Rows, sink: &dyn RowSink) -> bool {
        let delivered = writer.deliver(rows, sink).await;
        if let Err(failure) = &delivered {
            self.failures.record(failure);
        }
        delivered.is_ok()
    }

    /// Returns the scopes of a kind in a region, one per account that scans the region. Also returns whether the ids
    /// and regions of all accounts were known; otherwise scopes may be missing.
    async fn scopes_in(
        &self,
        kind: &'static dyn ResourceKind,
        region: &str,
    ) -> (Vec<ScanScope>, bool) {
        if !self.config.kinds.includes(kind.name()) {
            return (Vec::new(), true);
        }
        let in_region = (!kind.is_global()).then_some(region);
        let names = self.names(kind, in_region, &self.accounts.configured());
        let shared = self.new_shared_scan(names.clone());
        let (mut scopes, mut is_complete) = (Vec::new(), true);
        for account in &self.accounts.all {
            if !kind.is_global() && !account.scans_region(region) {
                is_complete &= !account.scanned_regions().is_empty();
                continue;
            }
            match account.id().await {
                Ok(id) => {
                    scopes.push(self.scope(names.clone(), account, id, in_region, shared.clone()));
                }
                Err(failure) => {
                    is_complete = false;
                    self.failures.record(&failure);
                }
            }
        }
        (scopes, is_complete)
    }
}

/// The result of looking up a uid in one scope.
enum LookupResult {
    Found(Box<ListedResource>),
    NotFound,
    /// The uid exists, and the filter excludes it.
    FilteredOut,
    /// The uid could not be read, or only without some of its details.
    Unknown,
}

/// Picks one uid out of the pages of a list call.
struct UidLookup<'a> {
    uid: &'a str,
    failures: &'a FailureLog,
    found: Option<ListedResource>,
    is_filtered_out: bool,
    /// Whether details of the uid are missing.
    is_incomplete: bool,
}

#[async_trait]
impl PageSink for UidLookup<'_> {
    async fn write_page(&mut self, items: Vec<ListedResource>) -> Result<(), ScanFailure> {
        let requested = items.into_iter().find(|item| item.resource.uid == self.uid);
        if let Some(item) = requested {
            self.is_incomplete |= !item.is_complete;
            self.found = item.is_selected.then_some(item);
        }
        Ok(())
    }

    fn report_failure(&mut self, failure: &ScanFailure) {
        self.failures.record(failure);
    }

    fn record_filtered_out(&mut self, uid: &str) {
        self.is_filtered_out |= uid == self.uid;
    }
}
