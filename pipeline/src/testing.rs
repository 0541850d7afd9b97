//! What tests of components need: batches out of JSON, and an output that is read.

use crate::SignalSet;
use crate::channel::{Output, Queue, channel};

/// An output for a receiver under test, and what arrives in it.
pub fn capture(accepts: SignalSet) -> (Output, Queue) {
    let (sender, queue) = channel("test", accepts, 64 << 20);
    (Output::new(vec![sender]), queue)
}
