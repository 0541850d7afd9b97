//! Reads one consistent state of the graph as of one time, and caches the rows that were loaded.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::claims::{
    Claim, ClaimClass, ClaimInterval, Existence, IntervalEnd, LastScan, SourceKey, existence,
};
use crate::component::UnixNanos;
use crate::graph_store::AsOf;
use crate::store::rows::{
    NodeId, NodeRow, Projection, ReadRows, RowsError, VersionKey, VersionRow, Word,
};
use crate::store::word_map::WordMap;
use crate::store::write::current::{NonLifecycleStatus, non_lifecycle_status};
use crate::store::write::scope_cache::{ScopeCache, ScopeScanTimes};

/// A read of the graph as of one time. Functions named `load_…` fill its caches, from which other functions read.
#[derive(Debug)]
pub(super) struct GraphReader<R> {
    pub(super) rows: R,
    pub(super) words: WordMap,
    pub(super) as_of: AsOf,
    /// The time that `AsOf::Now` stands for.
    pub(super) now: UnixNanos,
    pub(super) observed_edge_ttl: Duration,
    scopes: ScopeCache,
    /// Loaded node rows; only those of the nodes in `full` have their tags.
    headers: HashMap<NodeId, NodeRow>,
    /// Nodes that were loaded with their tags.
    full: HashSet<NodeId>,
    /// The claims of each node. A read of now loads the last interval of each claim; a read of the past also loads the
    /// intervals that end after its time, and of each claim the newest interval that ended earlier.
    claims: HashMap<NodeId, Vec<Claim>>,
}

/// Whether a node exists at the time of the read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeLifecycle {
    /// Whether a scan or an event ever reported the node.
    pub(super) has_lifecycle: bool,
    /// When the node ended.
    pub(super) ended: Option<UnixNanos>,
    /// Since when it is unknown whether the node exists.
    pub(super) unobserved: Option<UnixNanos>,
}

impl<R: ReadRows> GraphReader<R> {
    pub(super) fn new(rows: R, observed_edge_ttl: Duration, as_of: AsOf) -> GraphReader<R> {
        GraphReader {
            rows,
            words: WordMap::default(),
            as_of,
            now: UnixNanos::now(),
            observed_edge_ttl,
            scopes: ScopeCache::default(),
            headers: HashMap::new(),
            full: HashSet::new(),
            claims: HashMap::new(),
        }
    }

    /// Returns the time of the read.
    pub(super) fn as_of_time(&self) -> UnixNanos {
        match self.as_of {
            AsOf::Now => self.now,
            AsOf::Time(time) => time,
        }
    }

    /// Whether an event at `time` is part of the state as of the read. A read of now includes all events, since the
    /// clock of another process may be ahead.
    pub(super) fn has_happened(&self, time: UnixNanos) -> bool {
        match self.as_of {
            AsOf::Now => true,
            AsOf::Time(as_of) => time <= as_of,
        }
    }

    /// Whether an observation with this last sighting has not expired.
    pub(super) fn is_fresh(&self, seen: UnixNanos) -> bool {
        self.observed_edge_ttl.is_zero() || self.as_of_time() <= seen + self.observed_edge_ttl
    }

    /// Drops all cached nodes, so that a walk over many pages needs little memory.
    pub(super) fn clear_nodes(&mut self) {
        self.headers.clear();
        self.full.clear();
        self.claims.clear();
    }

    /// Returns the words of texts. Texts that have no word are left out.
    pub(super) async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let each = texts.iter().map(String::as_str);
        self.words.load_numbers(&mut self.rows, each).await?;
        let words = texts.iter().map(|text| self.words.number(text));
        Ok(words.filter(|word| *word != 0).collect())
    }

    /// Returns the word of a text; `NO_WORD` if it has none.
    pub(super) async fn find_word(&mut self, text: &str) -> Result<Word, RowsError> {
        self.words
            .load_numbers(&mut self.rows, [text].into_iter())
            .await?;
        Ok(self.words.number(text))
    }

    /// Loads nodes without their tags, for `header` and `uid`.
    pub(super) async fn load_headers(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        let missing = unique(ids, |id| !self.headers.contains_key(id));
        if missing.is_empty() {
            return Ok(());
        }
        for row in self.rows.nodes(&missing, Projection::Header).await? {
            self.headers.insert(row.id, row);
        }
        Ok(())
    }

    /// Loads nodes with their tags, for `header` and `uid`.
    pub(super) async fn load_full(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        let missing = unique(ids, |id| !self.full.contains(id));
        if missing.is_empty() {
            return Ok(());
        }
        for row in self.rows.nodes(&missing, Projection::Full).await? {
            self.full.insert(row.id);
            self.headers.insert(row.id, row);
        }
        Ok(())
    }

    /// Returns the row of a loaded node.
    pub(super) fn header(&self, id: NodeId) -> Option<&NodeRow> {
        self.headers.get(&id)
    }

    /// Returns the uid of a loaded node; empty for any other.
    pub(super) fn uid(&self, id: NodeId) -> &str {
        self.headers.get(&id).map_or("", |row| row.uid.as_str())
    }

    /// Loads the claims of nodes, for `claims`.
    pub(super) async fn load_claims(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        let missing = unique(ids, |id| !self.claims.contains_key(id));
        if missing.is_empty() {
            return Ok(());
        }
        let past = match self.as_of {
            AsOf::Now => None,
            AsOf::Time(time) => Some(time),
        };
        let claims = self.claims_since(&missing, past).await?;
        self.claims
            .extend(missing.into_iter().map(|id| (id, Vec::new())));
        self.claims.extend(claims);
        Ok(())
    }

    /// Returns the claims of nodes with the last interval of each. With `past`, also all earlier intervals that end
    /// after that time, and the newest one that does not. Loads the scopes of the claims.
    pub(super) async fn claims_since(
        &mut self,
        ids: &[NodeId],
        past: Option<UnixNanos>,
    ) -> Result<HashMap<NodeId, Vec<Claim>>, RowsError> {
        let mut rows = self.rows.claims(ids).await?;
        if let Some(since) = past {
            rows.extend(self.rows.past_claims(ids, since).await?);
        }
        let words = rows.iter().flat_map(|row| [row.key.source, row.key.scope]);
        self.words.load_texts(&mut self.rows, words).await?;
        let scopes: Vec<Word> = rows.iter().map(|row| row.key.scope).collect();
        self.scopes.load(&mut self.rows, scopes).await?;
        rows.sort_by_key(|row| (row.key, row.interval.since));
        let mut found: HashMap<NodeId, Vec<Claim>> = HashMap::new();
        let mut last = None;
        for row in rows {
            let claims = found.entry(row.key.node).or_default();
            if last != Some(row.key) {
                let key = self.words.source_key(row.key.scope_key());
                claims.push(Claim::new(key));
            }
            last = Some(row.key);
            if let Some(claim) = claims.last_mut() {
                claim.intervals.push(row.interval);
            }
        }
        Ok(found)
    }

    /// Returns the loaded claims of a node.
    pub(super) fn claims(&self, id: NodeId) -> &[Claim] {
        self.claims.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Returns the scans of the loaded scopes.
    pub(super) fn scans(&self) -> ScopeScanTimes<'_> {
        ScopeScanTimes {
            scopes: &self.scopes,
            words: &self.words,
        }
    }

    /// Returns versions by key. Missing ones are left out.
    pub(super) async fn versions(
        &mut self,
        mut keys: Vec<VersionKey>,
        projection: Projection,
    ) -> Result<HashMap<VersionKey, VersionRow>, RowsError> {
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.rows.versions(&keys, projection).await?;
        Ok(rows.into_iter().map(|row| (row.key, row)).collect())
    }

    /// Loads the rows of nodes that `lifecycle` needs.
    pub(super) async fn load_lifecycles(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        self.load_headers(ids).await?;
        match self.as_of {
            AsOf::Now => Ok(()),
            AsOf::Time(_) => self.load_claims(ids).await,
        }
    }

    /// Returns whether a loaded node exists.
    pub(super) fn lifecycle(&self, id: NodeId) -> NodeLifecycle {
        if self.as_of == AsOf::Now {
            let row = self.header(id);
            return row.map_or_else(NodeLifecycle::default, |row| NodeLifecycle {
                has_lifecycle: row.has_lifecycle,
                ended: row.ended,
                unobserved: row.unobserved,
            });
        }
        let claims = self.claims(id);
        let mut lifecycle = NodeLifecycle {
            has_lifecycle: true,
            ..NodeLifecycle::default()
        };
        match existence(claims, &self.scans(), self.as_of) {
            Existence::Exists => {}
            Existence::Ended(time) => lifecycle.ended = Some(time),
            Existence::Unobserved(since) => lifecycle.unobserved = Some(since),
            Existence::Unknown => {
                lifecycle.has_lifecycle = false;
                if let NonLifecycleStatus::Ended(time) = non_lifecycle_status(claims, self.as_of) {
                    lifecycle.ended = Some(time);
                }
            }
        }
        lifecycle
    }

    /// Whether a claim about the node itself began at the time of the read or earlier. Claims about its edges or
    /// aliases do not count. Its claims must be loaded.
    pub(super) fn is_claimed(&self, id: NodeId) -> bool {
        let intervals = claims_of_node(self.claims(id)).flat_map(|claim| &claim.intervals);
        intervals
            .into_iter()
            .any(|interval| self.has_happened(interval.since))
    }

    /// Returns when the node was last seen. Its claims must be loaded.
    pub(super) fn last_seen(&self, id: NodeId) -> Option<UnixNanos> {
        let seen = claims_of_node(self.claims(id)).filter_map(|claim| {
            let newest_first = claim.intervals.iter().rev();
            let mut begun = newest_first.filter(|it| self.has_happened(it.since) && !it.is_empty());
            Some(self.last_sighting(claim, begun.next()?))
        });
        seen.max()
    }

    /// Whether lists contain the node: it has not ended and, if no scan reports it, its last sighting has not expired.
    /// Its lifecycle and claims must be loaded.
    pub(super) fn is_current(&self, id: NodeId) -> bool {
        let lifecycle = self.lifecycle(id);
        let is_fresh = || self.last_seen(id).is_none_or(|seen| self.is_fresh(seen));
        lifecycle.ended.is_none() && (lifecycle.has_lifecycle || is_fresh())
    }

    /// Returns when an interval of a claim was last confirmed, by a report or a scan of its scope, but not after the
    /// time of the read.
    pub(super) fn last_sighting(&self, claim: &Claim, interval: &ClaimInterval) -> UnixNanos {
        let seen = match interval.until {
            None => self.last_confirmed(&claim.key, interval),
            Some((until, IntervalEnd::Replaced)) => until,
            Some((_, IntervalEnd::Removed(_))) => interval.seen,
        };
        match self.as_of {
            AsOf::Now => seen,
            AsOf::Time(as_of) => seen.min(as_of),
        }
    }

    fn last_confirmed(&self, key: &SourceKey, interval: &ClaimInterval) -> UnixNanos {
        if !matches!(key.class, ClaimClass::Actual | ClaimClass::Desired) {
            return interval.seen;
        }
        let scans = self.scans();
        let scan = scans.last_scan(key, self.as_of);
        // Old scans are not kept, so there may be none as of a past time. A newer scan then counts: it saw the uid as
        // well, since the interval is still open.
        let scan = scan.or_else(|| scans.last_scan(key, AsOf::Now));
        let scan = scan.filter(|scan| *scan >= interval.since);
        scan.map_or(interval.seen, |scan| scan.max(interval.seen))
    }
}

/// Returns the claims about the node itself, not about its edges or aliases.
pub(super) fn claims_of_node(claims: &[Claim]) -> impl Iterator<Item = &Claim> {
    let is_of_node = |class| !matches!(class, ClaimClass::Edges | ClaimClass::Aliases);
    claims
        .iter()
        .filter(move |claim| is_of_node(claim.key.class))
}

/// Returns the ids that match, ascending, without duplicates.
fn unique(ids: &[NodeId], matches: impl Fn(&NodeId) -> bool) -> Vec<NodeId> {
    let found: HashSet<NodeId> = ids.iter().copied().filter(|id| matches(id)).collect();
    let mut found: Vec<NodeId> = found.into_iter().collect();
    found.sort_unstable();
    found
}
