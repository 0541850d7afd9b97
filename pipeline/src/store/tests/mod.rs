//! The store over a backend in memory.

mod replay;
