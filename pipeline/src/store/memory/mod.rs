//! A backend in memory: the simplest implementation of the traits in [`rows`](super::rows).
//!
//! ```text
//!  read() ──▶ MemorySession<ReadAccess> ── reads ────────────────┐
//!                                                                ▼
//!  MemoryBackend: the committed tables ──────────────────▶ Arc<Tables>, immutable once shared
//!      ▲                                                         ▲
//!      └── commit swaps them in ── MemorySession<WriteAccess> ───┘ changes a copy
//! ```
//!
//! A read scans whole tables, so this backend is for tests, not for large graphs.

mod backend;
mod filters;
mod read;
mod tables;
mod write;

pub use backend::{MemoryBackend, MemorySession, ReadAccess, WriteAccess};
