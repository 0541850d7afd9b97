//! Claims in the memory of a process, by the rules of [`claims`](crate::claims): what the impact
//! graph and the alias index share.
//!
//! ```text
//!  DirectReport ──Scopes::report────▶ HeldClaims of one uid ──▶ existence, states that hold
//!  Completion ──Scopes::complete──▶ uids ──Scopes::apply──▶ HeldClaims of each
//! ```
//!
//! [`Scopes`] has what all uids share: which scans completed, and whom they saw. The claims of each
//! uid stand where its owner keeps them. A claim of one unbroken value takes 32 bytes and its number;
//! only one with a history is kept with its stretches.

mod claims;
mod fold;
mod scopes;

pub use claims::{HeldClaim, HeldClaims};
pub use fold::Change;
pub use scopes::{KeyNumber, Scopes};

#[cfg(test)]
mod tests;
