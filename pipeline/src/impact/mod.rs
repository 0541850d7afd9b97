//! Computes the impact of a change: the nodes that depend on the changed node. The code is pure, so it gives the same
//! results over a graph in memory and over a store.
//!
//! [`ImpactWalk`] is a directed walk. The [`RULES`] state which edges lead from a changed node to the nodes that depend
//! on it: from a security group to the resources that it secures, from an instance to its pods, from a service to its
//! callers. An undirected walk would reach the VPC, and from there everything.
//!
//! ```text
//!  start ──▶ ImpactWalk ──edge_queries──▶ the edges of one level, from a graph in memory or from a store
//!                ▲                                │
//!                └─────── follow, advance ◀───────┘    … finish ──▶ Impact: count, depth, the highest scores
//! ```
//!
//! A hop is one edge: `security group ← instance ← pod ← service ← service` has four hops, and a walk follows five by
//! default. Each hop multiplies the score by [`DECAY`] and by the confidence of the edge. Of several paths to a node,
//! the walk keeps the one with the best score.

mod result;
mod rules;
mod walk;

pub use result::{Impact, ImpactedNode};
pub use rules::{EDGE_KINDS, ImpactRole, ImpactRule, RULES, is_container, is_grouping};
pub use walk::{DECAY, EdgeQuery, ImpactWalk, WalkEdge, WalkLimits};

#[cfg(test)]
mod tests;
