//! From which stores the index is still to be loaded.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::AliasIndex;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Expected,
    Begun,
    Done,
}

/// Stores by their ids.
pub(super) type Stages = watch::Sender<BTreeMap<String, Stage>>;

impl AliasIndex {
    /// Announces that the index is to be loaded from a store: before that is done, it does not know every
    /// name. To be called while components are built.
    pub fn expect(&self, store: &str) {
        self.stages.send_modify(|stages| {
            stages.entry(store.to_owned()).or_insert(Stage::Expected);
        });
    }

    /// Whether the caller is the one that loads from the store: true once for each.
    pub fn begin_loading(&self, store: &str) -> bool {
        self.stages.send_if_modified(|stages| {
            let stage = stages.entry(store.to_owned()).or_insert(Stage::Expected);
            let is_first = *stage == Stage::Expected;
            if is_first {
                *stage = Stage::Begun;
            }
            is_first
        })
    }

    /// Announces that the index holds all names of the store.
    pub fn finish_loading(&self, store: &str) {
        self.stages.send_modify(|stages| {
            stages.insert(store.to_owned(), Stage::Done);
        });
    }

    /// Waits until the index is loaded from every store that was announced. Before that a component must
    /// neither ask it nor report to it, since what is loaded counts as older than all reports.
    pub async fn loaded(&self) {
        let mut stages = self.stages.subscribe();
        let is_done = |stages: &BTreeMap<String, Stage>| {
            let mut stages = stages.values();
            stages.all(|stage| *stage == Stage::Done)
        };
        // An error means that the sender is gone, which `self` has.
        let _ = stages.wait_for(is_done).await;
    }
}
