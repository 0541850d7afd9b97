//! What is said of a node, and how it merges: pure, so that every store answers alike.
//!
//! A **fact** is (uid, group, source, scope, hash of its value) with the times when it was first
//! and last seen to hold. To store it is to take the least of the first and the greatest of the
//! last, so neither order nor repetition matters. **Current** is the greatest by (last seen,
//! source, hash); as of a moment, the same over all sightings up to it.
//!
//! A **completion** says which uids a scan of a scope saw, and in which state. It counts as a
//! sighting of each of them, and as the end of every other uid that this scope had seen before.
//! So a scan that finds nothing new is one completion; its rows need not be stored again
//! ([`Known::novelty`]). (A scan that never completes leaves no trace of what it merely repeated.)
//! Scans that found the same members one after the other are stored as one [`Run`].
//!
//! The outgoing edges that a source tells of a uid together are one fact of the group
//! [`group::EDGES`], and so are its aliases: the newest set wins as a whole. Edges that are told one
//! by one (mode `seen`) live by when they were last seen.
//!
//! ```text
//!  Batch ──Told::of──▶ facts, completions, edges, aliases … ──▶ store ──▶ Current::of ──▶ Node
//! ```

mod completions;
mod current;
mod fact;
mod known;
mod read;
mod timeline;
mod told;

pub use crate::members::{MalformedMembers, Members};
pub use completions::{Completion, Completions, Recorded, Run};
pub use current::{Current, newest_sets};
pub use fact::{Content, Fact, group, hash_of, seen};
pub use known::{Known, Novelty};
pub use timeline::{Sets, timeline};
pub use told::{Alias, Change, Figures, Relation, Told};

#[cfg(test)]
mod tests;
