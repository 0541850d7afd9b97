//! Reads the claims and scopes of sources.

use std::collections::BTreeMap;

use super::reader::GraphReader;
use crate::claims::{Claim, ClaimClass, ClaimInterval};
use crate::component::UnixNanos;
use crate::graph_store::{ClaimInfo, ScannedPage, ScannedUid};
use crate::store::rows::{NodeId, ReadRows, RowsError, ScopeKey, Word};

impl<R: ReadRows> GraphReader<R> {
    /// Returns the last interval of every claim of each uid, in order.
    pub(super) async fn claims_of(
        &mut self,
        uids: &[String],
    ) -> Result<Vec<Vec<ClaimInfo>>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let found: Vec<NodeId> = ids.iter().flatten().copied().collect();
        self.load_claims(&found).await?;
        let of = |id: NodeId| self.claim_infos(id);
        let all = ids.into_iter().map(|id| id.map(of).unwrap_or_default());
        Ok(all.collect())
    }

    /// Returns the last interval of every claim of a node. Its claims must be loaded.
    pub(super) fn claim_infos(&self, id: NodeId) -> Vec<ClaimInfo> {
        let claims = self.claims(id).iter();
        claims.filter_map(|claim| self.claim_info(claim)).collect()
    }

    fn claim_info(&self, claim: &Claim) -> Option<ClaimInfo> {
        let last = claim.last().filter(|last| !last.is_empty())?;
        Some(ClaimInfo {
            class: claim.key.class,
            source: claim.key.source.as_ref().to_owned(),
            scope: Some(claim.key.scope.as_ref().to_owned()).filter(|it| !it.is_empty()),
            since: last.since,
            until: last.until,
            state: last.state,
            last_seen: self.last_sighting(claim, last),
        })
    }

    /// Returns a page of the open claims of a source's scans, scope by scope. The cursor is `scope/node`, both as
    /// numbers.
    pub(super) async fn scanned(
        &mut self,
        source: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ScannedPage, RowsError> {
        let source = self.find_word(source).await?;
        if source == 0 || limit == 0 {
            return Ok(ScannedPage::default());
        }
        let (first, after) = after.and_then(parse_cursor).unwrap_or_default();
        let scopes = self.scopes_of(source).await?;
        let mut page: Vec<(Word, NodeId)> = Vec::new();
        for scope in scopes.into_iter().filter(|scope| *scope >= first) {
            let after = if scope == first { after } else { 0 };
            let key = ScopeKey {
                class: ClaimClass::Actual,
                source,
                scope,
            };
            let left = limit - page.len();
            let claims = self.rows.open_claims(key, after, left).await?;
            page.extend(claims.into_iter().map(|(_, row)| (scope, row.key.node)));
            if page.len() == limit {
                break;
            }
        }
        let last = page.last().filter(|_| page.len() == limit);
        let last = last.map(|(scope, node)| format!("{scope}/{node}"));
        Ok(ScannedPage {
            scanned: self.last_scanned(source, &page).await?,
            last,
        })
    }

    /// Returns the scopes of a source's scans that have an open claim.
    pub(super) async fn open_scopes(&mut self, source: &str) -> Result<Vec<String>, RowsError> {
        let source = self.find_word(source).await?;
        if source == 0 {
            return Ok(Vec::new());
        }
        let mut open = Vec::new();
        for scope in self.scopes_of(source).await? {
            let key = ScopeKey {
                class: ClaimClass::Actual,
                source,
                scope,
            };
            if !self.rows.open_claims(key, 0, 1).await?.is_empty() {
                open.push(scope);
            }
        }
        self.rows.texts(&open).await
    }

    /// Returns the scopes of a source's scans, ascending by number.
    async fn scopes_of(&mut self, source: Word) -> Result<Vec<Word>, RowsError> {
        let scopes = self.rows.scopes(None).await?.into_iter();
        let scopes =
            scopes.filter(|row| (row.key.class, row.key.source) == (ClaimClass::Actual, source));
        let mut scopes: Vec<Word> = scopes.map(|row| row.key.scope).collect();
        scopes.sort_unstable();
        Ok(scopes)
    }

    /// Returns the uids of the claims on a page. If several scopes of the source have an open claim of a uid, the uid
    /// is returned only for the scope that saw it last.
    async fn last_scanned(
        &mut self,
        source: Word,
        page: &[(Word, NodeId)],
    ) -> Result<Vec<ScannedUid>, RowsError> {
        let nodes: Vec<NodeId> = page.iter().map(|(_, node)| *node).collect();
        self.load_headers(&nodes).await?;
        self.load_claims(&nodes).await?;
        let source = self.words.text(source);
        let mut last: BTreeMap<NodeId, (&Claim, &ClaimInterval)> = BTreeMap::new();
        for node in &nodes {
            let open = self.claims(*node).iter().filter_map(|claim| {
                let key = &claim.key;
                let is_scan = key.class == ClaimClass::Actual && !key.scope.is_empty();
                let matches = is_scan && key.source == source;
                Some((claim, claim.open().filter(|_| matches)?))
            });
            let rank =
                |(claim, interval): &(&Claim, &ClaimInterval)| -> (UnixNanos, UnixNanos, u64) {
                    let seen = self.last_sighting(claim, interval);
                    (seen, interval.since, interval.state)
                };
            let newest = open.max_by_key(|it| (rank(it), it.0.key.scope.clone()));
            last.extend(newest.map(|newest| (*node, newest)));
        }
        let scanned = page.iter().filter_map(|(scope, node)| {
            let (claim, interval) = last.get(node)?;
            let matches = *self.words.text(*scope) == *claim.key.scope;
            matches.then(|| ScannedUid {
                uid: self.uid(*node).to_owned(),
                scope: claim.key.scope.as_ref().to_owned(),
                state: interval.state,
            })
        });
        Ok(scanned.collect())
    }
}

fn parse_cursor(cursor: &str) -> Option<(Word, NodeId)> {
    let (scope, node) = cursor.split_once('/')?;
    Some((scope.parse().ok()?, node.parse().ok()?))
}
