//! Scans one scope, a kind in one account and region, page by page.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::resource::ScanContext;
use pipeline::rows::Rows;
use pipeline::{Signal, uid};

use super::shared::SharedScan;
use crate::aws::api::{AccountRegion, FailureLog, ScanFailure};
use crate::aws::emit::{Inventory, RowSink, ScanListing, ScanProgress, ScopeNames, ScopeWriter};
use crate::aws::filter::TagPatterns;
use crate::aws::listing::{ListTarget, ListedResource, PageSink, PageWriter};

/// One kind in one account and region.
#[derive(Clone)]
pub(in crate::aws) struct ScanScope {
    pub(in crate::aws) names: ScopeNames,
    pub(in crate::aws) at: Arc<AccountRegion>,
    /// Writes the resources that the account owns.
    pub(in crate::aws) writer: ScopeWriter,
    /// Collects the resources that other accounts own.
    pub(in crate::aws) shared: Arc<SharedScan>,
}

impl ScanScope {
    pub(in crate::aws) fn new(
        names: ScopeNames,
        at: Arc<AccountRegion>,
        inventory: &Inventory,
        shared: Arc<SharedScan>,
    ) -> ScanScope {
        ScanScope {
            writer: ScopeWriter::for_own_scope(&names, &at.account, inventory),
            names,
            at,
            shared,
        }
    }

    /// Reports the resources that changed, page by page, and then those that no longer exist, with the scan
    /// completion. Returns the number of the scope's members.
    ///
    /// A scan that fails writes no completion, so it deletes nothing: the state of a resource that it did not list is
    /// unknown. A resource that the API lists and the filter excludes is released and not deleted.
    pub(in crate::aws) async fn scan(
        &self,
        source: &str,
        tags: &TagPatterns,
        sink: &dyn RowSink,
        failures: &FailureLog,
    ) -> Result<usize, ScanFailure> {
        let began = UnixNanos::now();
        let id = format!("{:x}", began.0);
        let mut running = RunningScan {
            scope: self,
            scan: self.writer.new_scan(source, Some(&id), began),
            listing: ScanListing::default(),
            sink,
            failures,
        };
        let kind = self.names.kind;
        let mut out = PageWriter {
            kind: kind.info(),
            draft: &|item, at| kind.draft(item, at),
            at: &self.at,
            tags,
            sink: &mut running,
        };
        kind.list(&self.at, ListTarget(None), &mut out).await?;
        running.complete().await
    }
}

/// A running scan of one scope, to which the kind writes its pages.
struct RunningScan<'a> {
    scope: &'a ScanScope,
    scan: ScanContext<'a>,
    listing: ScanListing,
    sink: &'a dyn RowSink,
    failures: &'a FailureLog,
}

#[async_trait]
impl PageSink for RunningScan<'_> {
    async fn write_page(&mut self, items: Vec<ListedResource>) -> Result<(), ScanFailure> {
        let ScanScope {
            writer, at, shared, ..
        } = self.scope;
        let (mut rows, mut reported) = (Rows::new(Signal::Resources), Vec::new());
        let mut resources = 0;
        for item in items {
            if item.resource.account != at.account {
                if !shared.is_reported_by(&item.resource.account) {
                    shared.add_view(&at.account, item);
                }
                continue;
            }
            resources += 1;
            let state = writer.write_if_changed(&item, &self.scan, &mut rows, &mut reported);
            if let Some(state) = state {
                let hash = uid::hash(&item.resource.uid);
                self.listing.members.insert(hash, state);
            }
        }
        if !rows.is_empty() {
            writer.deliver(rows, self.sink).await?;
            writer.known.record(reported);
        }
        let scope = &writer.scope;
        self.sink
            .report_progress(ScanProgress::Page { scope, resources });
        Ok(())
    }

    fn report_failure(&mut self, failure: &ScanFailure) {
        if self.failures.record(failure) {
            self.sink.report_progress(ScanProgress::Failed(failure));
        }
    }

    fn record_filtered_out(&mut self, uid: &str) {
        let hash = uid::hash(uid);
        self.listing.filtered_out.insert(hash);
        self.scope.shared.add_filtered_out(hash);
    }
}

impl RunningScan<'_> {
    /// Delivers the scan completion. Returns the number of members.
    async fn complete(self) -> Result<usize, ScanFailure> {
        let ScanScope {
            writer, names, at, ..
        } = self.scope;
        let mut rows = Rows::new(Signal::Resources);
        // The completion also covers what scans of other accounts reported while this account was not scanned.
        let is_covered = |scope: &str| names.covers(&at.account, scope);
        let mut removals =
            writer.write_completion(is_covered, &self.listing, &self.scan, &mut rows);
        writer.release_replaced(&self.scan, &mut rows, &mut removals);
        writer.deliver(rows, self.sink).await?;
        writer.apply_completion(&removals, self.scan.began);
        writer.known.set_reported_by_owner();
        let scope = &writer.scope;
        self.sink.report_progress(ScanProgress::Complete { scope });
        Ok(self.listing.members.len())
    }
}
