//! The graph store: one logic over any backend that keeps rows.

pub mod rows;
mod snapshot;
mod texts;
mod words;
mod write;
