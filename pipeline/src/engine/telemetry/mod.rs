//! How the process tells of itself.

pub(super) mod process;
mod serve;

pub(super) use serve::{bind, serve};
