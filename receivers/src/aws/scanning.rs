//! Scans one scope, page by page.

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::resource::Scan;
use pipeline::rows::Rows;
use pipeline::{Signal, uid};

use super::failure::ScanFailure;
use super::filter::TagPatterns;
use super::found::{ListedResource, PageSink, PageWriter};
use super::kind::ListTarget;
use super::report::FailureLog;
use super::scope::ScanScope;
use super::sink::{Progress, Sink};
use super::telling::ScanListing;

impl ScanScope {
    /// Reports each resource that changed and each that no longer exists, then the scan completion. Returns
    /// the number of resources. A scan that fails writes no completion, so it deletes nothing: a resource
    /// that it did not see is unknown. With a filter, a resource is deleted only where the API does not list
    /// it; one that the filter excludes is released.
    pub(super) async fn scan(
        &self,
        source: &str,
        tags: &TagPatterns,
        sink: &dyn Sink,
        failures: &FailureLog,
    ) -> Result<usize, ScanFailure> {
        let began = UnixNanos::now();
        let id = format!("{:x}", began.0);
        let mut running = RunningScan {
            scope: self,
            scan: self.own.new_scan(source, Some(&id), began),
            listing: ScanListing::default(),
            sink,
            failures,
        };
        let mut out = PageWriter {
            kind: self.names.kind,
            at: &self.at,
            tags,
            sink: &mut running,
        };
        self.names
            .kind
            .list(&self.at, ListTarget(None), &mut out)
            .await?;
        running.complete().await
    }
}

struct RunningScan<'a> {
    scope: &'a ScanScope,
    scan: Scan<'a>,
    listing: ScanListing,
    sink: &'a dyn Sink,
    failures: &'a FailureLog,
}

#[async_trait]
impl PageSink for RunningScan<'_> {
    async fn page(&mut self, items: Vec<ListedResource>) -> Result<(), ScanFailure> {
        let ScanScope {
            own, at, shared, ..
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
            let state = own.write_if_changed(&item, &self.scan, &mut rows, &mut reported);
            if let Some(state) = state {
                let hash = uid::hash(&item.resource.uid);
                self.listing.members.insert(hash, state);
            }
        }
        if !rows.is_empty() {
            own.deliver(rows, self.sink).await?;
            own.known.record(reported);
        }
        let scope = &own.scope;
        self.sink
            .report_progress(Progress::Found { scope, resources });
        Ok(())
    }

    fn report_failure(&mut self, failure: &ScanFailure) {
        if self.failures.record(failure) {
            self.sink.report_progress(Progress::Failed(failure));
        }
    }

    fn filtered_out(&mut self, uid: &str) {
        let hash = uid::hash(uid);
        self.listing.filtered_out.insert(hash);
        self.scope.shared.add_filtered_out(hash);
    }
}

impl RunningScan<'_> {
    /// Delivers the scan completion. Returns the number of members.
    async fn complete(self) -> Result<usize, ScanFailure> {
        let ScanScope { own, names, at, .. } = self.scope;
        let mut rows = Rows::new(Signal::Resources);
        // Includes what scans of other accounts reported while this account was not scanned.
        let is_of = |scope: &str| names.covers(&at.account, scope);
        let mut removals = own.write_completion(is_of, &self.listing, &self.scan, &mut rows);
        own.release_replaced(&self.scan, &mut rows, &mut removals);
        own.deliver(rows, self.sink).await?;
        own.apply_completion(&removals, self.scan.began);
        own.known.set_reported_by_owner();
        let scope = &own.scope;
        self.sink.report_progress(Progress::Complete { scope });
        Ok(self.listing.members.len())
    }
}
