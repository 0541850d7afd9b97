//! One scan of a scope, page by page.

use std::collections::BTreeMap;

use async_trait::async_trait;
use pipeline::component::UnixNanos;
use pipeline::rows::Rows;
use pipeline::{Signal, uid};

use super::failure::Failure;
use super::filter::Tags;
use super::found::{Found, Item, Pages};
use super::kind::Only;
use super::known::Novelty;
use super::report::Report;
use super::scope::{Part, Scope};
use super::sink::{Progress, Sink};

impl Scope {
    /// Tells what is new, ends what is not there any more, and says that it is complete. Where it
    /// fails, nothing ends: what was not seen is unknown, not missing.
    pub(super) async fn scan(
        &self,
        source: &str,
        tags: &Tags,
        sink: &dyn Sink,
        report: &Report,
    ) -> Result<usize, Failure> {
        let began = UnixNanos::now();
        let mut scanning = Scanning {
            scope: self,
            source,
            id: &format!("{:x}", began.0),
            began,
            parts: BTreeMap::new(),
            sink,
            report,
        };
        let mut found = Found {
            kind: self.kind,
            at: &self.at,
            tags,
            pages: &mut scanning,
        };
        self.kind.list(&self.at, Only(None), &mut found).await?;
        scanning.complete().await
    }
}

/// A scan of a scope that goes on.
struct Scanning<'a> {
    scope: &'a Scope,
    source: &'a str,
    id: &'a str,
    began: UnixNanos,
    /// By the account whose they are.
    parts: BTreeMap<String, Part>,
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
            let owner = resource.account.as_str();
            if !self.parts.contains_key(owner) {
                self.parts.insert(owner.to_owned(), scope.part(owner));
                scope.part(&scope.at.account).base.is_shared_by(owner);
            }
            let Some(part) = self.parts.get_mut(owner) else {
                continue;
            };
            let hash = uid::hash(&resource.uid);
            if scope.leaves(owner, part, hash) {
                continue;
            }
            // Somebody has looked at it since the scan began: its page may be older than that.
            if let Some(state) = part.base.looked_at_since(hash, self.began) {
                if state != 0 {
                    part.members.insert(hash, state);
                }
                continue;
            }
            let known = part.base.state(hash, &part.name);
            if let (false, Some(known)) = (is_whole, known) {
                part.members.insert(hash, known);
                continue;
            }
            if !is_taken {
                continue;
            }
            let state = resource.state();
            part.members.insert(hash, state);
            let novelty = part.base.novelty(hash, state, &part.name);
            if novelty == Novelty::Nothing {
                continue;
            }
            let scan = part.begin(self.source, self.id, self.began);
            scan.observed(&mut rows, &resource, state, novelty.change());
            told.push((part.base.clone(), part.told(&resource, state, self.began)));
        }
        if !rows.is_empty() {
            let taken = self.sink.take(rows).await;
            taken.map_err(|reason| scope.undelivered(reason))?;
            for (base, told) in told {
                base.remember([told]);
            }
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
    async fn complete(mut self) -> Result<usize, Failure> {
        let scope = self.scope;
        // Also those of whom nothing was seen this time.
        let own = &scope.at.account;
        let mut owners = scope.part(own).base.sharing();
        owners.insert(own.clone());
        for owner in owners {
            let part = scope.part(&owner);
            self.parts.entry(owner).or_insert(part);
        }
        let mut rows = Rows::new(Signal::Resources);
        let mut ended = Vec::new();
        let mut count = 0;
        for (owner, part) in self.parts {
            let is_seen = |hash| part.members.contains_key(&hash);
            let gone = part.base.gone(&part.name, self.began, is_seen);
            if owner != *own {
                // What is told by others, or not any more, has no scans here.
                if scope.is_scanned(&owner) || (part.members.is_empty() && gone.is_empty()) {
                    continue;
                }
            }
            let scan = part.begin(self.source, self.id, self.began);
            for uid in &gone {
                scan.deleted(&mut rows, uid, scope.kind.name());
            }
            count += part.members.len();
            let members = part.members.iter().map(|(uid, state)| (*uid, *state));
            scan.complete(&mut rows, members.collect());
            ended.push((part.base, gone));
        }
        let taken = self.sink.take(rows).await;
        taken.map_err(|reason| scope.undelivered(reason))?;
        for (base, gone) in ended {
            gone.iter().for_each(|uid| base.forget(uid));
            base.completed(self.began);
        }
        self.sink.tell(Progress::Complete { scope: &scope.name });
        Ok(count)
    }
}
