//! What depends on a thing that changed: pure, so that every graph is walked alike.
//!
//! A directed walk, by [`RULES`] that say which edges lead from what changed to what depends on
//! it: a security group to what it secures, an instance to its pods, a service to its callers. An
//! undirected walk would reach the VPC, and by it everything.
//!
//! ```text
//!  start ──▶ Walk ──questions──▶ the edges of one level, of a graph in memory or of a store
//!              ▲                         │
//!              └───── follow, advance ◀──┘      … finish ──▶ Impact: count, depth, the highest scores
//! ```
//!
//! A hop is one edge, so that `security group ← instance ← pod ← service ← service` is four of the
//! five that are followed by default. Each hop multiplies the score by [`DECAY`] and by the edge's
//! confidence. Of several ways to a node the one with the best score counts.

mod result;
mod rules;
mod walk;

pub use result::{Impact, Reached};
pub use rules::{EDGE_KINDS, RULES, Rule, Standing, Way, is_container, is_grouping};
pub use walk::{DECAY, Limits, Questions, Step, Walk};

#[cfg(test)]
mod tests;
