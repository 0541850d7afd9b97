//! SQL over batches: plain DataFusion, whose tables are the signals.
//!
//! ```text
//! text ──mistake──▶ plan ──run──▶ rows ──output──▶ a signal's columns
//!       all errors   once   per batch
//! ```
//!
//! On columns of attributes, `attributes['k']['n'][0]` reads a value: as text, or by a cast or a
//! comparison with a number as that; null where it is absent or of another type. `to_json` and
//! `keys` show attributes; `set`, `without`, `replace_all` and `attributes` make new ones.

mod access;
mod clock;
mod edit;
mod fit;
mod getter;
mod in_turn;
mod mistake;
mod output;
mod path;
mod plan;
mod read;
mod replace;
mod rewrite;
mod session;
mod show;
mod sieve;
mod single;
mod slot;
mod typed;
mod value;
mod views;
mod whole;
mod words;

pub use clock::Span;
pub use mistake::Mistake;
pub(crate) use output::Output;
pub use plan::Query;

#[cfg(test)]
mod tests;
