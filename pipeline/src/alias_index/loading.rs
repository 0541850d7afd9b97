//! Tracks the stores from which the index must still be loaded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::AliasIndex;
use crate::graph_store::GraphStore;
use crate::sync::lock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoadStage {
    Expected,
    Started,
    Finished,
}

/// The load stage of each store, by the id of the store.
pub(super) type LoadStages = watch::Sender<BTreeMap<String, LoadStage>>;

/// The expected stores, by id.
pub(super) type ExpectedStores = Mutex<BTreeMap<String, Arc<dyn GraphStore>>>;

impl AliasIndex {
    /// Declares that the index must be loaded from a store. Until then, the index lacks names. Components call this
    /// while they are built.
    pub fn expect_store(&self, id: &str, store: Arc<dyn GraphStore>) {
        let mut stores = lock(&self.stores);
        stores.insert(id.to_owned(), store);
        drop(stores);
        self.stages.send_modify(|stages| {
            stages.entry(id.to_owned()).or_insert(LoadStage::Expected);
        });
    }

    /// All expected stores, ordered by id.
    pub fn stores(&self) -> Vec<Arc<dyn GraphStore>> {
        let stores = lock(&self.stores);
        stores.values().cloned().collect()
    }

    /// Returns true to the first caller for each store: that caller must load the index from the store.
    pub fn begin_loading(&self, id: &str) -> bool {
        self.stages.send_if_modified(|stages| {
            let stage = stages.entry(id.to_owned()).or_insert(LoadStage::Expected);
            let is_first = *stage == LoadStage::Expected;
            if is_first {
                *stage = LoadStage::Started;
            }
            is_first
        })
    }

    /// Declares that the index contains all names of a store.
    pub fn finish_loading(&self, id: &str) {
        self.stages.send_modify(|stages| {
            stages.insert(id.to_owned(), LoadStage::Finished);
        });
    }

    /// Waits until the index is loaded from every expected store. Until then a component must neither query the index
    /// nor apply reports to it, since loaded names count as older than all reports.
    pub async fn wait_loaded(&self) {
        let mut stages = self.stages.subscribe();
        let is_finished = |stages: &BTreeMap<String, LoadStage>| {
            let mut stages = stages.values();
            stages.all(|stage| *stage == LoadStage::Finished)
        };
        // This fails only if the sender is dropped, and `self` holds the sender.
        let _ = stages.wait_for(is_finished).await;
    }
}
