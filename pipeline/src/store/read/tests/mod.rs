//! Tests of reads of a store in memory. Batches fill the store.

mod batches;
mod claims;
mod names;
mod neighborhood;
mod outlines;
mod queries;
mod search;

use std::time::Duration;

use crate::Batch;
use crate::component::UnixNanos;
use crate::graph_store::{AsOf, GraphStore, Node};
use crate::reports::ReportBatch;
use crate::store::Store;
use crate::store::memory::MemoryBackend;
use crate::testing::store_over;

/// A store in memory.
struct StoreFixture(Store<MemoryBackend>);

impl StoreFixture {
    async fn new() -> StoreFixture {
        let observed_edge_ttl = Duration::from_secs(3600);
        StoreFixture(store_over(MemoryBackend::default(), observed_edge_ttl))
    }

    async fn write(&self, batch: Batch) {
        let now = UnixNanos::now();
        let reports = ReportBatch::from_batch(&batch, now);
        self.0.write(&reports).await.unwrap();
    }

    fn store(&self) -> &Store<MemoryBackend> {
        &self.0
    }

    async fn node(&self, uid: &str, at: AsOf) -> Option<Node> {
        let uids = [uid.to_owned()];
        self.store().nodes(&uids, at).await.unwrap().remove(0)
    }
}

fn at(time: u64) -> AsOf {
    AsOf::Time(UnixNanos(time))
}
