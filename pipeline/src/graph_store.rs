//! What others may ask of a store that keeps the graph.
//!
//! Every read answers for a moment ([`At`]) and takes a whole set at once, so that asking for a page
//! of things with their neighbours is a few statements, never one a thing. `same_as` aliases are
//! resolved, but for lists, which are of the nodes as they were told.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Map as JsonMap, Value as Json};
use tokio::sync::broadcast;

use crate::cause::Cause;
use crate::unix_nanos::UnixNanos;

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
    /// Part of the name or uid, in any case.
    pub text: Option<String>,
    pub provider: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    /// All of them.
    pub tags: Vec<TagFilter>,
    /// Also those that have ended.
    pub with_ended: bool,
}

/// A tag that a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    pub key: String,
    /// Any value where none is given.
    pub value: Option<String>,
}

/// Another name by which a node is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherName {
    /// Of [`aliases`](crate::schema::aliases): `id`, `name`, `ip`, `dns`, `same_as` …
    pub kind: String,
    pub value: String,
    /// Where the name is unique; none for everywhere.
    pub scope: Option<String>,
    pub valid_from: Option<UnixNanos>,
    pub valid_to: Option<UnixNanos>,
}

/// How many nodes there are of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCount {
    pub kind: String,
    pub provider: Option<String>,
    pub count: u64,
}

/// What is looked for by people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// In any case.
    pub text: String,
    /// Of all kinds where none is named.
    pub kinds: Vec<String>,
}

/// How well something that was found fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// A name of it is the text.
    Exact,
    /// A name of it begins with the text.
    Prefix,
    /// A name of it has the text in it.
    Part,
    /// The value of a tag has the text in it.
    Tag,
}

/// Where a text was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundIn {
    Name,
    Alias,
    Uid,
    Tag,
}

/// A node that was found by a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub node: Node,
    pub fit: Fit,
    pub found_in: FoundIn,
    /// What has the text in it.
    pub value: String,
}

/// What was counted on an edge in a span of time, over all writers and chunks.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeFigures {
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

/// An exponential histogram as OTLP has it: bucket `i` counts values in (base^i, base^(i+1)] with
/// base 2^(2^-scale).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    pub scale: i32,
    /// Counts by bucket index.
    pub counts: BTreeMap<i32, u64>,
    /// Values of zero.
    pub zeros: u64,
}

impl Histogram {
    /// Of consecutive buckets from index `first` on; what of the `total` values is in none of them
    /// was zero.
    pub fn of(scale: i32, first: i32, counts: &[u64], total: u64) -> Histogram {
        let buckets = (first..).zip(counts).filter(|(_, count)| **count > 0);
        Histogram {
            scale,
            counts: buckets.map(|(index, count)| (index, *count)).collect(),
            zeros: total.saturating_sub(counts.iter().sum()),
        }
    }

    /// Adds the other's values. Of two scales the coarser is kept: two of its neighbours' buckets
    /// make one for each step (OTLP's exponential histograms).
    pub fn add(&mut self, mut other: Histogram) {
        if self.counts.is_empty() && self.zeros == 0 {
            self.scale = other.scale;
        }
        let scale = self.scale.min(other.scale);
        self.coarsen(scale);
        other.coarsen(scale);
        self.zeros += other.zeros;
        for (index, count) in other.counts {
            *self.counts.entry(index).or_default() += count;
        }
    }

    fn coarsen(&mut self, scale: i32) {
        let steps = self.scale.abs_diff(scale);
        self.scale = scale;
        if steps > 0 {
            let counts = std::mem::take(&mut self.counts);
            for (index, count) in counts {
                *self.counts.entry(index >> steps.min(31)).or_default() += count;
            }
        }
    }

    /// The value that a share (0 to 1) of all values do not exceed, interpolated within its bucket
    /// on the logarithm; none of no values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.zeros + self.counts.values().sum::<u64>();
        if total == 0 {
            return None;
        }
        let rank = share.clamp(0.0, 1.0) * total as f64;
        let mut below = self.zeros as f64;
        if rank <= below {
            return Some(0.0);
        }
        let width = f64::exp2(f64::from(-self.scale));
        for (&index, &count) in &self.counts {
            let here = count as f64;
            if rank <= below + here {
                return Some(f64::exp2(
                    (f64::from(index) + (rank - below) / here) * width,
                ));
            }
            below += here;
        }
        self.counts
            .last_key_value()
            .map(|(&last, _)| f64::exp2(f64::from(last + 1) * width))
    }
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

/// A resource that a scan has seen and none has missed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    pub uid: String,
    /// The scope whose scan saw it last.
    pub scope: String,
    /// Its [`state`](crate::resource::Resource::state) when it was last told.
    pub state: u64,
}

/// Some of them, by uid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannedPage {
    pub scanned: Vec<Scanned>,
    /// The uid to go on after; none at the end.
    pub last: Option<String>,
}

/// What a commit of the store made new.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// Grows by one with each commit of this process.
    pub sequence: u64,
    pub nodes: Vec<String>,
    pub edges: Vec<(String, String, String)>,
    pub changes: Vec<NewChange>,
    /// Whether there is more than [`Commit::MOST`] of something, which is left out.
    pub truncated: bool,
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChange {
    pub id: String,
    /// What was changed.
    pub uid: Option<String>,
    /// Every uid that it names.
    pub names: Vec<String>,
}

impl Commit {
    /// Nodes, edges and changes of a commit that are told, each: those who follow hold many commits.
    pub const MOST: usize = 1000;

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.edges.is_empty() && self.changes.is_empty()
    }

    /// Leaves out what is too much.
    pub fn truncate(&mut self) {
        let longest = self
            .nodes
            .len()
            .max(self.edges.len())
            .max(self.changes.len());
        self.truncated = longest > Commit::MOST;
        self.nodes.truncate(Commit::MOST);
        self.edges.truncate(Commit::MOST);
        self.changes.truncate(Commit::MOST);
    }
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
    /// a tag: those that fit best first, then by uid. Letters beyond ASCII that differ in case may
    /// come later than they should.
    async fn search(&self, search: &Search, limit: usize, at: At)
    -> Result<Vec<Found>, StoreError>;

    /// Up to `limit` nodes with a uid greater than `after`, by uid.
    async fn list(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
        at: At,
    ) -> Result<Vec<Node>, StoreError>;

    /// Up to `limit` edges at these uids, by (from, kind, to); of all kinds where none is named. An
    /// edge from or to a node that has ended does not hold.
    async fn edges(
        &self,
        uids: &[String],
        direction: Direction,
        kinds: &[String],
        limit: usize,
        at: At,
    ) -> Result<Vec<Edge>, StoreError>;

    /// What was counted in the minutes that begin in `from..to`, by (from, kind, to).
    async fn edge_figures(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<EdgeFigures>, StoreError>;

    /// Up to `limit` entries in `from..to`, newest first.
    async fn timeline(
        &self,
        uid: &str,
        from: UnixNanos,
        to: UnixNanos,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError>;

    /// What a source's scans last told of what is there, among the next `limit` uids greater than
    /// `after`: for a receiver that goes on where it stopped.
    async fn scanned(
        &self,
        source: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ScannedPage, StoreError>;

    /// Follows the commits from now on; who falls behind is told how many were missed.
    fn commits(&self) -> broadcast::Receiver<std::sync::Arc<Commit>>;
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn histograms_of_two_scales_add_up_in_the_coarser() {
        let mut sum = Histogram::of(3, -2, &[1, 0, 2, 4], 9);
        sum.add(Histogram::of(2, -1, &[10, 20], 30));
        let counts: Vec<(i32, u64)> = sum.counts.into_iter().collect();
        assert_eq!((sum.scale, sum.zeros), (2, 2));
        assert_eq!(counts, [(-1, 11), (0, 26)]);
    }

    #[test]
    fn a_quantile_is_within_its_bucket() {
        let base = f64::exp2(0.125);
        let mut histogram = Histogram {
            scale: 3,
            ..Histogram::default()
        };
        for index in 0..100 {
            *histogram.counts.entry(index).or_default() += 1;
        }
        let p95 = histogram.quantile(0.95).unwrap();
        assert!((p95 / base.powi(95) - 1.0).abs() < 1e-9, "{p95}");
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(
            Histogram {
                zeros: 3,
                ..Histogram::default()
            }
            .quantile(0.5),
            Some(0.0)
        );
    }
}
