//! One read: rows of one consistent state as of one moment, and what was found of them so far.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::super::rows::{
    NodeId, NodeRow, Projection, ReadRows, RowsError, VersionKey, VersionRow, Word,
};
use super::super::words::Words;
use super::super::write::current::{Standing, standing};
use super::super::write::scopes::{NamedScopes, Scopes};
use crate::claims::{Claim, Class, Ending, Existence, Key, LastScan, Stretch, existence};
use crate::component::UnixNanos;
use crate::graph_store::At;

#[derive(Debug)]
pub(super) struct Session<R> {
    pub(super) rows: R,
    pub(super) words: Words,
    pub(super) at: At,
    /// What `Now` is.
    pub(super) now: UnixNanos,
    pub(super) seen_for: Duration,
    scopes: Scopes,
    headers: HashMap<NodeId, NodeRow>,
    /// Those of the headers whose tags were read.
    full: HashSet<NodeId>,
    /// Of each node all that touch the moment or end after it.
    claims: HashMap<NodeId, Vec<Claim>>,
}

/// Whether a node exists at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Life {
    /// Whether a scan or an event ever reported it.
    pub(super) has_lifecycle: bool,
    pub(super) ended: Option<UnixNanos>,
    /// Since when it is not known whether it exists.
    pub(super) unobserved: Option<UnixNanos>,
}

impl<R: ReadRows> Session<R> {
    pub(super) fn new(rows: R, seen_for: Duration, at: At) -> Session<R> {
        Session {
            rows,
            words: Words::default(),
            at,
            now: UnixNanos::now(),
            seen_for,
            scopes: Scopes::default(),
            headers: HashMap::new(),
            full: HashSet::new(),
            claims: HashMap::new(),
        }
    }

    pub(super) fn moment(&self) -> UnixNanos {
        match self.at {
            At::Now => self.now,
            At::Time(time) => time,
        }
    }

    /// Whether what happened at a time is known at the moment. Of now that is all, although another
    /// clock may be ahead.
    pub(super) fn is_past(&self, time: UnixNanos) -> bool {
        match self.at {
            At::Now => true,
            At::Time(moment) => time <= moment,
        }
    }

    /// Whether an observation that was last seen at a time still holds.
    pub(super) fn is_recent(&self, seen: UnixNanos) -> bool {
        self.seen_for.is_zero() || self.moment() <= seen.after(self.seen_for)
    }

    /// Forgets nodes, so that a walk over many pages stays small.
    pub(super) fn forget(&mut self) {
        self.headers.clear();
        self.full.clear();
        self.claims.clear();
    }

    /// The words of these texts, those that there are.
    pub(super) async fn find_words(&mut self, texts: &[String]) -> Result<Vec<Word>, RowsError> {
        let each = texts.iter().map(String::as_str);
        self.words.find(&mut self.rows, each).await?;
        let words = texts.iter().map(|text| self.words.number(text));
        Ok(words.filter(|word| *word != 0).collect())
    }

    pub(super) async fn find_word(&mut self, text: &str) -> Result<Word, RowsError> {
        self.words.find(&mut self.rows, [text].into_iter()).await?;
        Ok(self.words.number(text))
    }

    /// Makes `header` and `uid` answer for these nodes.
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

    /// Likewise, with their tags.
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

    pub(super) fn header(&self, id: NodeId) -> Option<&NodeRow> {
        self.headers.get(&id)
    }

    /// Empty for one that is not loaded.
    pub(super) fn uid(&self, id: NodeId) -> &str {
        self.headers.get(&id).map_or("", |row| row.uid.as_str())
    }

    /// Makes `claims` answer for these nodes.
    pub(super) async fn load_claims(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        let missing = unique(ids, |id| !self.claims.contains_key(id));
        if missing.is_empty() {
            return Ok(());
        }
        let past = match self.at {
            At::Now => None,
            At::Time(time) => Some(time),
        };
        let claims = self.claims_since(&missing, past).await?;
        self.claims
            .extend(missing.into_iter().map(|id| (id, Vec::new())));
        self.claims.extend(claims);
        Ok(())
    }

    /// The claims of some nodes: the last stretch of each, and those that end after a time with the
    /// newest that does not. Their scopes are loaded, too.
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
        self.words.read(&mut self.rows, words).await?;
        let scopes: Vec<Word> = rows.iter().map(|row| row.key.scope).collect();
        self.scopes.load(&mut self.rows, scopes).await?;
        rows.sort_by_key(|row| (row.key, row.stretch.since));
        let mut found: HashMap<NodeId, Vec<Claim>> = HashMap::new();
        let mut last = None;
        for row in rows {
            let claims = found.entry(row.key.node).or_default();
            if last != Some(row.key) {
                claims.push(Claim::new(Key {
                    class: row.key.class,
                    source: self.words.text(row.key.source),
                    scope: self.words.text(row.key.scope),
                }));
            }
            last = Some(row.key);
            if let Some(claim) = claims.last_mut() {
                claim.stretches.push(row.stretch);
            }
        }
        Ok(found)
    }

    pub(super) fn claims(&self, id: NodeId) -> &[Claim] {
        self.claims.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn scans(&self) -> NamedScopes<'_> {
        NamedScopes {
            scopes: &self.scopes,
            words: &self.words,
        }
    }

    /// Names what a stretch of a claim says.
    pub(super) fn version_key(&self, node: NodeId, claim: &Key, state: u64) -> VersionKey {
        VersionKey {
            node,
            source: self.words.number(&claim.source),
            scope: self.words.number(&claim.scope),
            state,
        }
    }

    /// What these name, by their keys.
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

    /// Makes `life` answer for these nodes.
    pub(super) async fn load_lives(&mut self, ids: &[NodeId]) -> Result<(), RowsError> {
        self.load_headers(ids).await?;
        match self.at {
            At::Now => Ok(()),
            At::Time(_) => self.load_claims(ids).await,
        }
    }

    pub(super) fn life(&self, id: NodeId) -> Life {
        if self.at == At::Now {
            let row = self.header(id);
            return row.map_or_else(Life::default, |row| Life {
                has_lifecycle: row.has_lifecycle,
                ended: row.ended,
                unobserved: row.unobserved,
            });
        }
        let claims = self.claims(id);
        let mut life = Life {
            has_lifecycle: true,
            ..Life::default()
        };
        match existence(claims, &self.scans(), self.at) {
            Existence::Exists => {}
            Existence::Ended(time) => life.ended = Some(time),
            Existence::Unobserved(since) => life.unobserved = Some(since),
            Existence::Unknown => {
                life.has_lifecycle = false;
                if let Standing::Ended(time) = standing(claims, self.at) {
                    life.ended = Some(time);
                }
            }
        }
        life
    }

    /// Whether anything but edges and aliases is known of the node; its claims are loaded.
    pub(super) fn is_claimed(&self, id: NodeId) -> bool {
        let stretches = of_node(self.claims(id)).flat_map(|claim| &claim.stretches);
        stretches
            .into_iter()
            .any(|stretch| self.is_past(stretch.since))
    }

    /// When the node was last seen; its claims are loaded.
    pub(super) fn last_seen(&self, id: NodeId) -> Option<UnixNanos> {
        let seen = of_node(self.claims(id)).filter_map(|claim| {
            let known = claim.stretches.iter().rev();
            let mut known = known.filter(|it| self.is_past(it.since) && !it.is_empty());
            Some(self.last_sighting(claim, known.next()?))
        });
        seen.max()
    }

    /// Whether a node stands in lists: it has not ended, and, where no scan looks for it, was seen of
    /// late. Its life and claims are loaded.
    pub(super) fn is_current(&self, id: NodeId) -> bool {
        let life = self.life(id);
        let is_recent = || self.last_seen(id).is_none_or(|seen| self.is_recent(seen));
        life.ended.is_none() && (life.has_lifecycle || is_recent())
    }

    /// When a stretch of a claim was last confirmed, up to the moment: by a report, or by a scan of
    /// its scope.
    pub(super) fn last_sighting(&self, claim: &Claim, stretch: &Stretch) -> UnixNanos {
        let seen = match stretch.until {
            None => self.last_confirmed(&claim.key, stretch),
            Some((until, Ending::Replaced)) => until,
            Some((_, Ending::Removed(_))) => stretch.seen,
        };
        match self.at {
            At::Now => seen,
            At::Time(moment) => seen.min(moment),
        }
    }

    fn last_confirmed(&self, key: &Key, stretch: &Stretch) -> UnixNanos {
        if !matches!(key.class, Class::Actual | Class::Desired) {
            return stretch.seen;
        }
        let scans = self.scans();
        let scan = scans.last_scan(key, self.at);
        // Scans of long ago are not kept: what is still open was seen by all of them.
        let scan = scan.or_else(|| scans.last_scan(key, At::Now));
        let scan = scan.filter(|scan| *scan >= stretch.since);
        scan.map_or(stretch.seen, |scan| scan.max(stretch.seen))
    }
}

/// Claims that say something of the node itself.
pub(super) fn of_node(claims: &[Claim]) -> impl Iterator<Item = &Claim> {
    let is_of_node = |class| !matches!(class, Class::Edges | Class::Aliases);
    claims
        .iter()
        .filter(move |claim| is_of_node(claim.key.class))
}

/// Those that fit, each once, ascending.
fn unique(ids: &[NodeId], fits: impl Fn(&NodeId) -> bool) -> Vec<NodeId> {
    let found: HashSet<NodeId> = ids.iter().copied().filter(|id| fits(id)).collect();
    let mut found: Vec<NodeId> = found.into_iter().collect();
    found.sort_unstable();
    found
}
