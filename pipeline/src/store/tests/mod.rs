//! The store over a backend in memory.

mod moving;
mod releasing;
mod replay;
