//! Tests of the processor: what it merges and releases, and the acknowledgements of senders.

mod buffering;
mod config;
mod senders;
mod support;
