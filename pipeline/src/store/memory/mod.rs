//! A backend in memory: the plainest one that keeps the contract of [`rows`](super::rows).
//!
//! ```text
//!  read() ──▶ Session<ReadOnly> ── reads ───────────┐
//!                                                   ▼
//!  MemoryBackend: the committed tables ──────▶ Arc<Tables>, never changed once shared
//!      ▲                                            ▲
//!      └── commit swaps them in ── Session<Writer> ─┘ changes a copy
//! ```
//!
//! Reads look at every row of a table: it is for tests, not for large graphs.

mod backend;
mod filters;
mod leases;
mod read;
mod tables;
mod write;

pub use backend::{MemoryBackend, ReadOnly, Session, Writer};

#[cfg(test)]
mod tests;
