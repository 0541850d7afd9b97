//! Test doubles and test suites for components, the engine, and graph stores and their backends.

use crate::channel::{Output, Queue, channel};
use crate::rows::Rows;
use crate::{Batch, Delivery, Signal, SignalSet};

pub mod aging;
mod exporter;
pub mod graph;
mod processor;
mod receiver;
pub mod rows;
mod store;

pub use exporter::{CapturedExports, CapturingExporter, ExportBehaviour};
pub use processor::{
    DerivingProcessor, DroppingProcessor, HoldingProcessor, PanickingProcessor,
    PassThroughProcessor, RejectingProcessor,
};
pub use receiver::{AfterSending, CannedReceiver, DeliveryOutcomes};
pub use store::{GatedBackend, memory_store, run_housekeeping, store_over};

/// Returns an output for a receiver under test, and the queue that gets the batches of the output. The queue holds at
/// most 64 MiB.
pub fn capture(accepts: SignalSet) -> (Output, Queue) {
    let (sender, queue) = channel("test", accepts, 64 << 20);
    (Output::new(vec![sender]), queue)
}

/// Returns a batch with one row for each uid. Its delivery is untracked.
pub fn batch(signal: Signal, uids: &[&str]) -> Batch {
    let mut rows = Rows::new(signal);
    for uid in uids {
        rows.push(None, Some(uid), "test", &[]);
    }
    rows.finish(Delivery::untracked())
}

/// The uid of each row of a batch, in order; an empty text for a null.
pub fn uids(batch: &Batch) -> Vec<String> {
    let uids = batch.uid().iter();
    uids.map(|uid| uid.unwrap_or_default().to_owned()).collect()
}
