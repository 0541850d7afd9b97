//! Keeps claims in memory, by the rules of [`claims`](crate::claims), for the impact graph and the alias index.
//!
//! ```text
//!  DirectReport   ──ClaimScopes::report──▶ MemoryClaims of one uid ──▶ existence, current states
//!  ScanCompletion ──ClaimScopes::complete──▶ uids ──ClaimScopes::apply──▶ MemoryClaims of each uid
//! ```
//!
//! [`ClaimScopes`] holds the data that all uids share: the completed scans of each scope, with their members. The
//! owner of a uid keeps its [`MemoryClaims`]. A claim that has had one value takes 32 bytes and its key number; only
//! a claim with a history keeps its intervals.

mod claims;
mod fold;
mod scopes;

pub use claims::{MemoryClaim, MemoryClaims};
pub use fold::ClaimChange;
pub use scopes::{ClaimScopes, KeyNumber};

#[cfg(test)]
mod tests;
