//! Reads through a store in memory.
