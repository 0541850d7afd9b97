//! What tests of components and of the engine need: batches, an output that is read, and
//! components that do as they are told.

use crate::channel::{Output, Queue, channel};
use crate::rows::Rows;
use crate::{Batch, Delivery, Signal, SignalSet};

pub mod aging;
mod exporter;
pub mod graph;
mod processor;
mod receiver;
pub mod rows;

pub use exporter::{Behaviour, Captured, CapturingExporter};
pub use processor::{Drop, Hold, PanickingProcessor, PassThrough, Refuse, Turn};
pub use receiver::{CannedReceiver, Ending, Outcomes};

/// An output for a receiver under test, and what arrives in it.
pub fn capture(accepts: SignalSet) -> (Output, Queue) {
    let (sender, queue) = channel("test", accepts, 64 << 20);
    (Output::new(vec![sender]), queue)
}

/// A batch with one row for each uid, that nobody waits for.
pub fn batch(signal: Signal, uids: &[&str]) -> Batch {
    let mut rows = Rows::new(signal);
    for uid in uids {
        rows.push(None, Some(uid), "test", &[]);
    }
    rows.finish(Delivery::nobody())
}

/// The uids of a batch, in the order of its rows.
pub fn uids(batch: &Batch) -> Vec<String> {
    let uids = batch.uid().iter();
    uids.map(|uid| uid.unwrap_or_default().to_owned()).collect()
}
