//! One scan of a scope, page by page.

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::resource::Scan;
use pipeline::rows::Rows;
use pipeline::{Signal, uid};

use super::failure::Failure;
use super::filter::Tags;
use super::found::{Found, Item, Pages};
use super::kind::Only;
use super::report::Report;
use super::scope::Scope;
use super::sink::{Progress, Sink};
use super::telling::Listing;

impl Scope {
    /// Tells what is new, ends what is not there any more, and says that it is complete. Where it
    /// fails, nothing ends: what was not seen is unknown, not missing. With a filter what is missing
    /// is released, but for what the list has not at all.
    pub(super) async fn scan(
        &self,
        source: &str,
        tags: &Tags,
        sink: &dyn Sink,
        report: &Report,
    ) -> Result<usize, Failure> {
        let began = UnixNanos::now();
        let id = format!("{:x}", began.0);
        let mut scanning = Scanning {
            scope: self,
            scan: self.own.begin(source, Some(&id), began),
            listing: Listing::default(),
            sink,
            report,
        };
        let mut found = Found {
            kind: self.names.kind,
            at: &self.at,
            tags,
            pages: &mut scanning,
        };
        self.names
            .kind
            .list(&self.at, Only(None), &mut found)
            .await?;
        scanning.complete().await
    }
}

/// A scan of a scope that goes on.
struct Scanning<'a> {
    scope: &'a Scope,
    scan: Scan<'a>,
    listing: Listing,
    sink: &'a dyn Sink,
    report: &'a Report,
}

#[async_trait]
impl Pages for Scanning<'_> {
    async fn page(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let Scope {
            own, at, shared, ..
        } = self.scope;
        let (mut rows, mut told) = (Rows::new(Signal::Resources), Vec::new());
        let mut resources = 0;
        for item in items {
            if item.resource.account != at.account {
                if !shared.is_left_to(&item.resource.account) {
                    shared.see(&at.account, item);
                }
                continue;
            }
            resources += 1;
            if let Some(state) = own.see(&item, &self.scan, &mut rows, &mut told) {
                let hash = uid::hash(&item.resource.uid);
                self.listing.members.insert(hash, state);
            }
        }
        if !rows.is_empty() {
            own.deliver(rows, self.sink).await?;
            own.base.remember(told);
        }
        let scope = &own.scope;
        self.sink.tell(Progress::Found { scope, resources });
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        if self.report.failed(failure) {
            self.sink.tell(Progress::Failed(failure));
        }
    }

    fn passed_over(&mut self, uid: &str) {
        let hash = uid::hash(uid);
        self.listing.passed_over.insert(hash);
        self.scope.shared.pass_over(hash);
    }
}

impl Scanning<'_> {
    /// How many there are.
    async fn complete(self) -> Result<usize, Failure> {
        let Scope { own, names, at, .. } = self.scope;
        let mut rows = Rows::new(Signal::Resources);
        // Also of what others told while the account was not scanned.
        let is_of = |scope: &str| names.is_of(&at.account, scope);
        let mut missed = own.complete(is_of, &self.listing, &self.scan, &mut rows);
        own.release_replaced(&self.scan, &mut rows, &mut missed);
        own.deliver(rows, self.sink).await?;
        own.completed(&missed, self.scan.began);
        own.base.told_by_owner();
        let scope = &own.scope;
        self.sink.tell(Progress::Complete { scope });
        Ok(self.listing.members.len())
    }
}
