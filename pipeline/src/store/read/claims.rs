//! What is claimed, source by source.

use std::collections::BTreeMap;

use super::super::rows::{NodeId, ReadRows, RowsError, ScopeKey, Word};
use super::session::Session;
use crate::claims::{Claim, Class, Stretch};
use crate::component::UnixNanos;
use crate::graph_store::{ClaimInfo, Scanned, ScannedPage};

impl<R: ReadRows> Session<R> {
    /// The last stretch of every claim of these very uids, in order.
    pub(super) async fn claims_of(
        &mut self,
        uids: &[String],
    ) -> Result<Vec<Vec<ClaimInfo>>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let known: Vec<NodeId> = ids.iter().flatten().copied().collect();
        self.load_claims(&known).await?;
        let of = |id: NodeId| self.claim_infos(id);
        let all = ids.into_iter().map(|id| id.map(of).unwrap_or_default());
        Ok(all.collect())
    }

    /// The last stretch of every claim of a node; they are loaded.
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

    /// Claims of a source's scans that are open, scope by scope. A page goes on after
    /// `scope/node`, both numbers.
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
        let (first, after) = after.and_then(parse).unwrap_or_default();
        let scopes = self.scopes_of(source).await?;
        let mut page: Vec<(Word, NodeId)> = Vec::new();
        for scope in scopes.into_iter().filter(|scope| *scope >= first) {
            let after = if scope == first { after } else { 0 };
            let key = ScopeKey {
                class: Class::Actual,
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

    /// The scopes of a source's scans that have an open claim.
    pub(super) async fn open_scopes(&mut self, source: &str) -> Result<Vec<String>, RowsError> {
        let source = self.find_word(source).await?;
        if source == 0 {
            return Ok(Vec::new());
        }
        let mut open = Vec::new();
        for scope in self.scopes_of(source).await? {
            let key = ScopeKey {
                class: Class::Actual,
                source,
                scope,
            };
            if !self.rows.open_claims(key, 0, 1).await?.is_empty() {
                open.push(scope);
            }
        }
        self.rows.texts(&open).await
    }

    /// The scopes of a source's scans, by number.
    async fn scopes_of(&mut self, source: Word) -> Result<Vec<Word>, RowsError> {
        let scopes = self.rows.scopes(None).await?.into_iter();
        let scopes =
            scopes.filter(|row| (row.key.class, row.key.source) == (Class::Actual, source));
        let mut scopes: Vec<Word> = scopes.map(|row| row.key.scope).collect();
        scopes.sort_unstable();
        Ok(scopes)
    }

    /// Those of these claims that are the only open one of their node, or the one of several scopes
    /// that saw it last.
    async fn last_scanned(
        &mut self,
        source: Word,
        page: &[(Word, NodeId)],
    ) -> Result<Vec<Scanned>, RowsError> {
        let nodes: Vec<NodeId> = page.iter().map(|(_, node)| *node).collect();
        self.load_headers(&nodes).await?;
        self.load_claims(&nodes).await?;
        let source = self.words.text(source);
        let mut last: BTreeMap<NodeId, (&Claim, &Stretch)> = BTreeMap::new();
        for node in &nodes {
            let open = self.claims(*node).iter().filter_map(|claim| {
                let key = &claim.key;
                let is_scan = key.class == Class::Actual && !key.scope.is_empty();
                let is_it = is_scan && key.source == source;
                Some((claim, claim.open().filter(|_| is_it)?))
            });
            let rank = |(claim, stretch): &(&Claim, &Stretch)| -> (UnixNanos, UnixNanos, u64) {
                let seen = self.last_sighting(claim, stretch);
                (seen, stretch.since, stretch.state)
            };
            let newest = open.max_by_key(|it| (rank(it), it.0.key.scope.clone()));
            last.extend(newest.map(|newest| (*node, newest)));
        }
        let scanned = page.iter().filter_map(|(scope, node)| {
            let (claim, stretch) = last.get(node)?;
            let is_it = *self.words.text(*scope) == *claim.key.scope;
            is_it.then(|| Scanned {
                uid: self.uid(*node).to_owned(),
                scope: claim.key.scope.as_ref().to_owned(),
                state: stretch.state,
            })
        });
        Ok(scanned.collect())
    }
}

fn parse(place: &str) -> Option<(Word, NodeId)> {
    let (scope, node) = place.split_once('/')?;
    Some((scope.parse().ok()?, node.parse().ok()?))
}
