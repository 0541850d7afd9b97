//! From which stores the index is still to be loaded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::AliasIndex;
use crate::graph_store::GraphStore;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Expected,
    Begun,
    Done,
}

/// Stores by their ids.
pub(super) type Stages = watch::Sender<BTreeMap<String, Stage>>;

/// Likewise.
pub(super) type Stores = Mutex<BTreeMap<String, Arc<dyn GraphStore>>>;

impl AliasIndex {
    /// Announces that the index is to be loaded from a store: before that is done, it does not know every
    /// name. To be called while components are built.
    pub fn expect(&self, name: &str, store: Arc<dyn GraphStore>) {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.insert(name.to_owned(), store);
        drop(stores);
        self.stages.send_modify(|stages| {
            stages.entry(name.to_owned()).or_insert(Stage::Expected);
        });
    }

    /// All stores from which the index is loaded.
    pub fn stores(&self) -> Vec<Arc<dyn GraphStore>> {
        let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.values().cloned().collect()
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
