//! What others may ask of a store that keeps the graph.
//!
//! Every read answers for a moment ([`At`]) and takes a whole set at once, so that asking for a page
//! of things with their neighbours is a few statements, never one a thing. `same_as` aliases are
//! resolved, but for lists, which are of the nodes as they were told.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use serde_json::{Map as JsonMap, Value as Json};
use tokio::sync::broadcast;

use crate::cause::Cause;
use crate::claims::{Class, Ending};
use crate::label::label;
use crate::unix_nanos::UnixNanos;

mod commit;
mod finding;
mod histogram;
mod neighborhood;
mod outline;
mod records;
pub use commit::{Commit, NewRecord};
pub use finding::{Fit, Found, FoundIn, KindCount, OtherName, Search, SearchResult, TagFilter};
pub use histogram::Histogram;
pub use neighborhood::{Neighbor, Neighborhood, NeighborhoodQuery};
pub use outline::{NodeOutline, Outlines, OutlinesPage, outlines_by_parts};
pub use records::{Record, RecordFilter, RecordsPage};

/// The moment a read is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Now,
    Time(UnixNanos),
}

/// A node as its facts have it at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub uid: String,
    /// `service`, `AWS::EC2::Instance`; `unknown` for one that only an edge leads to.
    pub kind: String,
    pub name: Option<String>,
    pub provider: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub tags: JsonMap<String, Json>,
    /// The winning value of each fact group that has one: `actual`, `telemetry` …
    pub facts: BTreeMap<String, Fact>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
    /// When it ended; none while it lives.
    pub ended: Option<UnixNanos>,
    /// Since when it is not known whether it exists: every source that saw it stopped looking.
    pub unobserved_since: Option<UnixNanos>,
}

impl Node {
    /// What people call it: its name, else the short id in its uid. Never empty.
    pub fn label(&self) -> Cow<'_, str> {
        label(self.name.as_deref(), &self.uid)
    }
}

/// What one source says of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub source: String,
    pub value: JsonMap<String, Json>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// An edge that holds at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub from: String,
    pub kind: String,
    pub to: String,
    pub source: String,
    /// Whether it is one of all that the source tells of `from`; else it was seen by itself.
    pub is_of_set: bool,
    pub confidence: f64,
    pub properties: JsonMap<String, Json>,
    pub first_seen: UnixNanos,
    pub last_seen: UnixNanos,
}

/// Which ends of its edges a node is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Edges that start here.
    Out,
    /// Edges that lead here.
    In,
    Both,
}

/// Which nodes a list is of; a missing field does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFilter {
    pub kinds: Vec<String>,
    /// Part of the name or of the uid's tail (all after the account of an ARN, after the scheme of others),
    /// in any case; of one or two letters the beginning. A whole uid fits as well. Of a longer name the
    /// first 200 characters are looked at.
    pub text: Option<String>,
    pub provider: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    /// All of them.
    pub tags: Vec<TagFilter>,
    /// Also those that have ended.
    pub with_ended: bool,
}

/// What was counted on an edge in a span of time, over all writers and chunks.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeStats {
    pub from: String,
    pub kind: String,
    pub to: String,
    /// Empty, `messaging_system`, `database` or `virtual_node`.
    pub connection_type: String,
    /// The first minute that has any.
    pub since: UnixNanos,
    pub calls: u64,
    pub errors: u64,
    /// Seconds.
    pub duration_sum: f64,
    /// Seconds.
    pub duration_max: f64,
    pub durations: Histogram,
}

/// One thing that happened to a node.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEntry {
    pub time: UnixNanos,
    /// Unique, stable, and in order for entries of the same time.
    pub id: String,
    /// `node_appeared`, `node_changed`, `node_ended`, `edges_changed`, `change`.
    pub kind: String,
    pub source: String,
    /// One line for people.
    pub summary: String,
    pub details: JsonMap<String, Json>,
}

/// What one source reports of a uid in one scope: its last unbroken stretch of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimInfo {
    pub class: Class,
    pub source: String,
    /// None where the report belongs to no scope.
    pub scope: Option<String>,
    pub since: UnixNanos,
    /// When it ended, and how; none while it is open.
    pub until: Option<(UnixNanos, Ending)>,
    /// Names the value; 0 where it is not known.
    pub state: u64,
    /// The last report or scan that confirmed it.
    pub last_seen: UnixNanos,
}

/// A resource that a scan has seen and none has missed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    pub uid: String,
    /// The scope whose scan saw it last.
    pub scope: String,
    /// Its [`state`](crate::resource::Resource::state) when it was last told.
    pub state: u64,
}

/// Some of them, each uid once over all pages, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannedPage {
    pub scanned: Vec<Scanned>,
    /// What to go on after; none at the end.
    pub last: Option<String>,
}

/// Which process has a scope of a source to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub holder: String,
    pub until: UnixNanos,
}

/// Another name of a thing that has not ended, as its source tells it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAlias {
    pub uid: String,
    pub source: String,
    /// Whether it is one of all that the source tells of the uid, or was seen by itself.
    pub is_of_set: bool,
    pub kind: String,
    pub value: String,
    /// None for everywhere.
    pub scope: Option<String>,
    /// From when on it has led to the uid without a break.
    pub since: UnixNanos,
    pub until: Option<UnixNanos>,
}

/// The names of some uids; those of a uid stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AliasesPage {
    pub aliases: Vec<KnownAlias>,
    /// The uid to go on after; none at the end.
    pub last: Option<String>,
}

/// The store could not answer.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub struct StoreError {
    /// What it was doing: `read 20 nodes`.
    pub action: String,
    pub source: Option<Cause>,
}

impl StoreError {
    pub fn new(action: impl Into<String>, source: impl Into<Cause>) -> StoreError {
        StoreError {
            action: action.into(),
            source: Some(source.into()),
        }
    }

    /// Where the read was about too old a moment: what the asker has to know.
    pub fn too_old(&self) -> Option<&TooOld> {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(too_old) = error.downcast_ref() {
                return Some(too_old);
            }
            cause = error.source();
        }
        None
    }
}

/// A read is about a moment of which not all is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is too long ago: history is kept from {} on (`retention.history` of the store says for how long)",
    text(*.asked),
    text(*.oldest)
)]
pub struct TooOld {
    pub asked: UnixNanos,
    /// The oldest moment that reads may be about.
    pub oldest: UnixNanos,
}

fn text(time: UnixNanos) -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_nanos(time.0))
}

/// The graph, to be asked.
#[async_trait]
pub trait GraphStore: Send + Sync + std::fmt::Debug {
    /// The uids that these names lead to, in order: each a uid itself, or an alias. A name may lead
    /// to several (a private IP in two VPCs), or to none.
    async fn resolve(&self, names: &[String], at: At) -> Result<Vec<Vec<String>>, StoreError>;

    /// The nodes of these uids, in order; none where nothing is known of a uid. A uid that only an
    /// edge leads to has a placeholder.
    async fn nodes(&self, uids: &[String], at: At) -> Result<Vec<Option<Node>>, StoreError>;

    /// The kinds of these uids, in order, as their nodes would say them: `unknown` where nothing
    /// does.
    async fn kinds_of(&self, uids: &[String], at: At) -> Result<Vec<String>, StoreError>;

    /// The other names that are told of these very uids, in order; those of each by kind and value.
    async fn aliases_of(&self, uids: &[String], at: At) -> Result<Vec<Vec<OtherName>>, StoreError>;

    /// How many nodes live, by kind and provider.
    async fn count_kinds(&self, at: At) -> Result<Vec<KindCount>, StoreError>;

    /// Up to `limit` living nodes that have the text in a name, an alias, their uid or the value of
    /// a tag: those that fit best first, then by uid. Of each kind of match a bounded number of texts
    /// is looked at (the result says whether there are more), and one or two letters only at the
    /// beginning of a text. As of T, nodes are found by the names that they have now or, where they
    /// ended, had last.
    async fn search(
        &self,
        search: &Search,
        limit: usize,
        at: At,
    ) -> Result<SearchResult, StoreError>;

    /// Up to `limit` nodes that follow the one of the uid `after`, in the order in which nodes were
    /// first written; none where `after` is not known (any more). Other names of a node are left out, and
    /// so is what no scan looks for and nothing saw of late. As of T, a node is left out that has
    /// become another name since.
    async fn list(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
        at: At,
    ) -> Result<Vec<Node>, StoreError>;

    /// Up to `limit` nodes of a `list` without a filter that follow `after`, with their claims and the edges
    /// of these kinds that start at them: for a processor that keeps the graph in memory.
    async fn outlines(
        &self,
        edge_kinds: &[String],
        after: Option<&str>,
        limit: usize,
    ) -> Result<OutlinesPage, StoreError> {
        outlines_by_parts(self, edge_kinds, after, limit).await
    }

    /// The outlines of these uids as they are now, and of the nodes that they are other names of: for a
    /// processor that follows what other processes write.
    async fn outlines_of(
        &self,
        edge_kinds: &[String],
        uids: &[String],
    ) -> Result<Outlines, StoreError> {
        let _ = edge_kinds;
        Err(StoreError {
            action: format!(
                "read the outlines of {} nodes: this store has none",
                uids.len()
            ),
            source: None,
        })
    }

    /// Up to `limit` edges at these uids, of all kinds where none is named; the first ones of a stable
    /// order, by (from, kind, to). An edge from or to a node that has ended does not hold.
    async fn edges(
        &self,
        uids: &[String],
        direction: Direction,
        kinds: &[String],
        limit: usize,
        at: At,
    ) -> Result<Vec<Edge>, StoreError>;

    /// What is connected with a node, all of one state of the graph; none where nothing is known of it.
    async fn neighborhood(
        &self,
        start: &str,
        query: &NeighborhoodQuery<'_>,
        at: At,
    ) -> Result<Option<Neighborhood>, StoreError>;

    /// What was counted in the minutes that begin in `from..to`, by (from, kind, to).
    async fn edge_stats(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeStats>, StoreError>;

    /// Up to `limit` entries in `from..to`, newest first.
    async fn timeline(
        &self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError>;

    /// What a source's scans last told of what is there, a page of up to `limit` that follows `last` of
    /// the page before: for a receiver that goes on where it stopped.
    async fn scanned(
        &self,
        source: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ScannedPage, StoreError>;

    /// The scopes in which a source's scans told of anything that is still there, in any order: for a
    /// receiver that releases those that it no longer scans.
    async fn open_scopes(&self, source: &str) -> Result<Vec<String>, StoreError> {
        let (mut scopes, mut after) = (BTreeSet::new(), None);
        loop {
            let page = self.scanned(source, after.as_deref(), 2000).await?;
            scopes.extend(page.scanned.into_iter().map(|scanned| scanned.scope));
            after = page.last;
            if after.is_none() {
                return Ok(scopes.into_iter().collect());
            }
        }
    }

    /// Takes the lease of a scope of a source for `holder`, a process, or renews it: one process at a
    /// time scans a scope. It lasts so long from now on by the store's clock, 5 minutes at most. None
    /// where `holder` has it now; else the lease that another process has. A store that keeps no leases
    /// gives one to each process that asks.
    async fn lease(
        &self,
        _source: &str,
        _scope: &str,
        _holder: &str,
        _lasts: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        Ok(None)
    }

    /// Gives the lease of a scope back, if `holder` has it.
    async fn end_lease(
        &self,
        _source: &str,
        _scope: &str,
        _holder: &str,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    /// The names of these kinds that lead to the next `limit` uids that follow `after`, in a stable order:
    /// for a processor that knows what names mean before the first scan.
    async fn aliases(
        &self,
        kinds: &[&str],
        after: Option<&str>,
        limit: usize,
    ) -> Result<AliasesPage, StoreError>;

    /// The names of these kinds that lead to these very uids now; those of a uid stand together.
    async fn aliases_of_uids(
        &self,
        kinds: &[&str],
        uids: &[String],
    ) -> Result<Vec<KnownAlias>, StoreError> {
        let _ = kinds;
        Err(StoreError {
            action: format!(
                "read the names of {} nodes: this store has none",
                uids.len()
            ),
            source: None,
        })
    }

    /// The last stretch of every claim of this very uid, open or ended.
    async fn claims_of(&self, uid: &str) -> Result<Vec<ClaimInfo>, StoreError> {
        Err(StoreError {
            action: format!("read the claims of {uid}: this store keeps none"),
            source: None,
        })
    }

    /// The same of each of these uids, in order; empty lists where the store keeps no claims.
    async fn claims(&self, uids: &[String]) -> Result<Vec<Vec<ClaimInfo>>, StoreError> {
        Ok(vec![Vec::new(); uids.len()])
    }

    /// Up to `limit` records that fit, newest first; a page goes on after the cursor `last` of the page
    /// before.
    async fn records(
        &self,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordsPage, StoreError> {
        let _ = (filter, after, limit);
        Err(StoreError {
            action: "read records: this store keeps none".to_owned(),
            source: None,
        })
    }

    /// Follows the commits from now on; who falls behind is told how many were missed.
    fn commits(&self) -> broadcast::Receiver<std::sync::Arc<Commit>>;
}
