//! Reads the kinds of nodes, and counts nodes by kind.

use std::collections::BTreeMap;

use super::nodes::UNKNOWN;
use super::reader::GraphReader;
use crate::graph_store::{AsOf, KindCount};
use crate::store::rows::{NodeId, Projection, ReadRows, RowsError, Word};

/// The number of nodes that are examined together.
const PAGE: usize = if cfg!(test) { 2 } else { 2000 };

impl<R: ReadRows> GraphReader<R> {
    /// Returns the kind of each uid, in order; `unknown` if no claim describes it.
    pub(super) async fn kinds_of(&mut self, uids: &[String]) -> Result<Vec<String>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let found: Vec<NodeId> = ids.iter().flatten().copied().collect();
        let owners = self.load_owners(&found).await?;
        let canonical: Vec<NodeId> = found.iter().map(|id| owners.canonical(*id)).collect();
        let kinds = self.kind_words(&canonical).await?;
        self.words
            .load_texts(&mut self.rows, kinds.values().map(|(kind, _)| *kind))
            .await?;
        let kind = |id: Option<NodeId>| {
            let of = id.and_then(|id| kinds.get(&owners.canonical(id)));
            of.map_or_else(|| UNKNOWN.to_owned(), |(kind, _)| self.kind(*kind))
        };
        Ok(ids.into_iter().map(kind).collect())
    }

    /// Returns the kind and provider of each of these nodes.
    async fn kind_words(
        &mut self,
        ids: &[NodeId],
    ) -> Result<BTreeMap<NodeId, (Word, Word)>, RowsError> {
        self.load_lifecycles(ids).await?;
        if self.as_of == AsOf::Now {
            let rows = ids.iter().filter_map(|id| self.header(*id));
            return Ok(rows.map(|row| (row.id, (row.kind, row.provider))).collect());
        }
        let versions = self.winning_versions(ids, Projection::Header).await?;
        let words = ids.iter().map(|id| {
            let header = self.header_at(*id, &versions);
            (*id, (header.kind, header.provider))
        });
        Ok(words.collect())
    }

    /// Counts current nodes by kind and provider.
    pub(super) async fn count_kinds(&mut self) -> Result<Vec<KindCount>, RowsError> {
        let counts = match self.as_of {
            AsOf::Now => {
                let rows = self.rows.counts().await?.into_iter();
                let count = |count| u64::try_from(count).unwrap_or_default();
                rows.map(|row| ((row.kind, row.provider), count(row.count)))
                    .collect()
            }
            AsOf::Time(_) => self.count_past().await?,
        };
        let words = counts
            .keys()
            .flat_map(|(kind, provider)| [*kind, *provider]);
        self.words.load_texts(&mut self.rows, words).await?;
        let mut by_text: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
        for ((kind, provider), count) in counts {
            let key = (self.kind(kind), self.words.owned_text(provider));
            *by_text.entry(key).or_default() += count;
        }
        let counts = by_text.into_iter().filter(|(_, count)| *count > 0);
        Ok(counts
            .map(|((kind, provider), count)| KindCount {
                kind,
                provider,
                count,
            })
            .collect())
    }

    /// Counts the nodes that were current at the time of the read, by kind and provider.
    async fn count_past(&mut self) -> Result<BTreeMap<(Word, Word), u64>, RowsError> {
        let mut counts = BTreeMap::new();
        let mut after = 0;
        loop {
            let ids = self.listed(after, PAGE).await?;
            let Some(&last) = ids.last() else { break };
            after = last;
            let is_last = ids.len() < PAGE;
            let unmerged = self.without_merged(ids).await?;
            let kinds = self.kind_words(&unmerged).await?;
            let current = kinds.into_iter();
            let current = current.filter(|(id, _)| self.is_claimed(*id) && self.is_current(*id));
            for (_, kind) in current {
                *counts.entry(kind).or_default() += 1;
            }
            self.clear_nodes();
            if is_last {
                break;
            }
        }
        Ok(counts)
    }
}
