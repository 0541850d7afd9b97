//! The scan of one scope: a kind in one account and region.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::resource::{Resource, Scan};
use pipeline::rows::Rows;
use pipeline::schema::nodes::group;
use pipeline::{Signal, uid};

use super::failure::{Call, Failure, Why};
use super::filter::Filter;
use super::found::{Found, Item, Pages};
use super::kind::{Kind, Only};
use super::known::{Base, Known, Novelty, Told};
use super::place::Place;
use super::report::Report;
use super::service::Service;
use super::sink::{Progress, Sink};

/// The region in the scopes of what is in none.
const GLOBAL: &str = "global";

/// What is scanned as one.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) kind: &'static dyn Kind,
    pub(super) at: Arc<Place>,
    /// `account/region/kind`, and the filter's hash where there is one.
    pub(super) name: Arc<str>,
    pub(super) base: Arc<Base>,
    pub(super) filter: Arc<Filter>,
}

impl Scope {
    pub(super) fn new(
        kind: &'static dyn Kind,
        at: Arc<Place>,
        filter: Arc<Filter>,
        known: &Known,
    ) -> Scope {
        let region = if kind.is_global() { GLOBAL } else { &at.region };
        let base = format!("{}/{region}/{}", at.account, kind.name());
        let name = match filter.hash(kind.service() == Service::EC2) {
            Some(hash) => format!("{base}/{hash}").into(),
            None => base.as_str().into(),
        };
        let base = known.base(&base);
        Scope {
            kind,
            at,
            name,
            base,
            filter,
        }
    }

    /// Whether it is scanned before others of its region.
    pub(super) fn comes_first(&self) -> bool {
        self.kind.comes_first()
    }

    /// What rows of it share that begin now.
    pub(super) fn begin<'a>(&'a self, source: &'a str, id: &'a str) -> Scan<'a> {
        Scan {
            source,
            group: group::ACTUAL,
            scope: &self.name,
            id,
            began: UnixNanos::now(),
        }
    }

    /// Tells what is new, ends what is not there any more, and says that it is complete. Where it
    /// fails, nothing ends: what was not seen is unknown, not missing.
    pub(super) async fn scan(
        &self,
        source: &str,
        sink: &dyn Sink,
        report: &Report,
    ) -> Result<usize, Failure> {
        let id = format!("{:x}", UnixNanos::now().0);
        let mut scanning = Scanning {
            scope: self,
            scan: self.begin(source, &id),
            members: HashMap::new(),
            sink,
            report,
        };
        let mut found = Found {
            kind: self.kind,
            at: &self.at,
            filter: &self.filter,
            pages: &mut scanning,
        };
        self.kind.list(&self.at, Only(None), &mut found).await?;
        scanning.complete().await
    }

    pub(super) fn told(&self, resource: &Resource, state: u64, time: UnixNanos) -> Told {
        Told {
            uid: resource.uid.as_str().into(),
            scope: self.name.clone(),
            state,
            time,
        }
    }

    /// The rows were not delivered.
    pub(super) fn undelivered(&self, reason: String) -> Failure {
        Failure {
            call: Call {
                service: self.kind.service(),
                operation: self.kind.name(),
                region: self.at.region.as_str().into(),
                account: self.at.account.as_str().into(),
            },
            why: Why::NotDelivered,
            code: String::new(),
            message: reason,
        }
    }
}

/// A scan of a scope that goes on.
struct Scanning<'a> {
    scope: &'a Scope,
    scan: Scan<'a>,
    /// Uid's hash and state of all that was seen.
    members: HashMap<u64, u64>,
    sink: &'a dyn Sink,
    report: &'a Report,
}

#[async_trait]
impl Pages for Scanning<'_> {
    async fn page(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let scope = self.scope;
        let mut rows = Rows::new(Signal::Resources);
        let mut told = Vec::new();
        let resources = items.len();
        for Item {
            resource,
            is_whole,
            is_taken,
        } in items
        {
            let hash = uid::hash(&resource.uid);
            // Somebody has looked at it since the scan began: its page may be older than that.
            if let Some(state) = scope.base.looked_at_since(hash, self.scan.began) {
                if state != 0 {
                    self.members.insert(hash, state);
                }
                continue;
            }
            let known = scope.base.state(hash, &scope.name);
            if let (false, Some(known)) = (is_whole, known) {
                self.members.insert(hash, known);
                continue;
            }
            if !is_taken {
                continue;
            }
            let state = resource.state();
            self.members.insert(hash, state);
            let novelty = scope.base.novelty(hash, state, &scope.name);
            if novelty == Novelty::Nothing {
                continue;
            }
            self.scan
                .observed(&mut rows, &resource, state, novelty.change());
            told.push(scope.told(&resource, state, self.scan.began));
        }
        if !rows.is_empty() {
            let taken = self.sink.take(rows).await;
            taken.map_err(|reason| scope.undelivered(reason))?;
            scope.base.remember(told);
        }
        self.sink.tell(Progress::Found {
            scope: &scope.name,
            resources,
        });
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        if self.report.failed(failure) {
            self.sink.tell(Progress::Failed(failure));
        }
    }
}

impl Scanning<'_> {
    /// How many there are.
    async fn complete(self) -> Result<usize, Failure> {
        let scope = self.scope;
        let is_seen = |hash| self.members.contains_key(&hash);
        let gone = scope.base.gone(&scope.name, self.scan.began, is_seen);
        let mut rows = Rows::new(Signal::Resources);
        for uid in &gone {
            self.scan.deleted(&mut rows, uid, scope.kind.name());
        }
        let count = self.members.len();
        self.scan
            .complete(&mut rows, self.members.into_iter().collect());
        let taken = self.sink.take(rows).await;
        taken.map_err(|reason| scope.undelivered(reason))?;
        for uid in &gone {
            scope.base.forget(uid);
        }
        scope.base.completed(self.scan.began);
        self.sink.tell(Progress::Complete { scope: &scope.name });
        Ok(count)
    }
}
