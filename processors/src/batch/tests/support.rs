//! Makes batches, and a processor from settings.

use std::sync::Arc;

use pipeline::component::{Host, UnixNanos};
use pipeline::config::{LoadContext, load};
use pipeline::registry::BuildProcessor;
use pipeline::{Batch, Signal, SignalSet, testing};

use crate::batch::{BatchProcessor, Config};

/// Parses settings `key=YAML`.
pub(super) fn parse(settings: &[&str]) -> Result<Config, String> {
    let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
    let loaded = load(&[], &settings, LoadContext::default());
    loaded.root.decode().map_err(|error| error.to_string())
}

pub(super) fn processor(settings: &[&str]) -> BatchProcessor {
    let host = Host::new("batch".parse().unwrap(), SignalSet::ALL, Arc::default());
    BatchProcessor::build(parse(settings).unwrap(), &host).unwrap()
}

pub(super) fn at(millis: u64) -> UnixNanos {
    UnixNanos(1_700_000_000_000_000_000 + millis * 1_000_000)
}

/// A batch of rows with the uids `NAME0`, `NAME1`, …
pub(super) fn batch_of(signal: Signal, name: &str, count: usize) -> Batch {
    let uids: Vec<String> = (0..count).map(|row| format!("{name}{row}")).collect();
    let uids: Vec<&str> = uids.iter().map(String::as_str).collect();
    testing::batch(signal, &uids)
}

/// The number of rows of each batch.
pub(super) fn sizes(output: &[Batch]) -> Vec<usize> {
    output.iter().map(Batch::num_rows).collect()
}
