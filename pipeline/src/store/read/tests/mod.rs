//! Reads through a store in memory, written by batches.

mod asking;
mod batches;
mod claiming;
mod finding;
mod names;
mod neighborhood;
mod outlining;

use std::time::Duration;

use crate::Batch;
use crate::component::UnixNanos;
use crate::graph_store::{At, GraphStore, Node};
use crate::reports::ReportBatch;
use crate::store::memory::MemoryBackend;
use crate::store::{Settings, Store};

struct Open(Store<MemoryBackend>);

impl Open {
    async fn new() -> Open {
        let seen_for = Duration::from_secs(3600);
        Open(Store::new(MemoryBackend::default(), Settings { seen_for }))
    }

    async fn write(&self, batch: Batch) {
        let now = UnixNanos::now();
        let reports = ReportBatch::of(&batch, now);
        self.0.write(&reports).await.unwrap();
    }

    fn store(&self) -> &Store<MemoryBackend> {
        &self.0
    }

    async fn node(&self, uid: &str, at: At) -> Option<Node> {
        let uids = [uid.to_owned()];
        self.store().nodes(&uids, at).await.unwrap().remove(0)
    }
}

fn at(time: u64) -> At {
    At::Time(UnixNanos(time))
}
