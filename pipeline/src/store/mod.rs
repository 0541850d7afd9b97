//! The graph store: one logic over any backend that keeps rows.

pub mod memory;
pub mod rows;
