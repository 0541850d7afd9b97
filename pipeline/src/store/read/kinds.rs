//! What kinds of nodes there are.

use std::collections::BTreeMap;

use super::super::rows::{NodeId, Projection, ReadRows, RowsError, Word};
use super::nodes::UNKNOWN;
use super::session::Session;
use crate::graph_store::{At, KindCount};

/// Nodes that are looked at together.
const PAGE: usize = if cfg!(test) { 2 } else { 2000 };

impl<R: ReadRows> Session<R> {
    pub(super) async fn kinds_of(&mut self, uids: &[String]) -> Result<Vec<String>, RowsError> {
        let ids = self.rows.find_nodes(uids).await?;
        let known: Vec<NodeId> = ids.iter().flatten().copied().collect();
        let same = self.owners(&known).await?;
        let canonical: Vec<NodeId> = known.iter().map(|id| same.canonical(*id)).collect();
        let kinds = self.kind_words(&canonical).await?;
        self.words
            .read(&mut self.rows, kinds.values().map(|(kind, _)| *kind))
            .await?;
        let kind = |id: Option<NodeId>| {
            let of = id.and_then(|id| kinds.get(&same.canonical(id)));
            of.map_or_else(|| UNKNOWN.to_owned(), |(kind, _)| self.kind(*kind))
        };
        Ok(ids.into_iter().map(kind).collect())
    }

    /// The kind and provider of these very nodes.
    async fn kind_words(
        &mut self,
        ids: &[NodeId],
    ) -> Result<BTreeMap<NodeId, (Word, Word)>, RowsError> {
        self.load_lives(ids).await?;
        if self.at == At::Now {
            let rows = ids.iter().filter_map(|id| self.header(*id));
            return Ok(rows.map(|row| (row.id, (row.kind, row.provider))).collect());
        }
        let versions = self.winners(ids, Projection::Header).await?;
        let words = ids.iter().map(|id| {
            let header = self.header_at(*id, &versions);
            (*id, (header.kind, header.provider))
        });
        Ok(words.collect())
    }

    pub(super) async fn count_kinds(&mut self) -> Result<Vec<KindCount>, RowsError> {
        let counts = match self.at {
            At::Now => {
                let rows = self.rows.counts().await?.into_iter();
                let count = |count| u64::try_from(count).unwrap_or_default();
                rows.map(|row| ((row.kind, row.provider), count(row.count)))
                    .collect()
            }
            At::Time(_) => self.count_at().await?,
        };
        let words = counts
            .keys()
            .flat_map(|(kind, provider)| [*kind, *provider]);
        self.words.read(&mut self.rows, words).await?;
        let mut by_text: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
        for ((kind, provider), count) in counts {
            let key = (self.kind(kind), self.words.owned(provider));
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

    async fn count_at(&mut self) -> Result<BTreeMap<(Word, Word), u64>, RowsError> {
        let mut counts = BTreeMap::new();
        let mut after = 0;
        loop {
            let ids = self.listed(after, PAGE).await?;
            let Some(&last) = ids.last() else { break };
            after = last;
            let is_last = ids.len() < PAGE;
            let alone = self.without_merged(ids).await?;
            let kinds = self.kind_words(&alone).await?;
            let current = kinds.into_iter();
            let current = current.filter(|(id, _)| self.is_claimed(*id) && self.is_current(*id));
            for (_, kind) in current {
                *counts.entry(kind).or_default() += 1;
            }
            self.forget();
            if is_last {
                break;
            }
        }
        Ok(counts)
    }
}
