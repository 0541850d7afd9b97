//! SQL over batches, run by DataFusion. The tables are the signals.
//!
//! ```text
//! text ──mistake──▶ plan ──run──▶ rows ──output──▶ a signal's columns
//!      all mistakes  once  per batch
//! ```
//!
//! `attributes['k']['n'][0]` reads a value of a column of attributes as text. A cast, or a comparison with a
//! number, reads it as that type; the result is null if the value is absent or of another type. `to_json` and
//! `keys` show attributes; `set`, `without`, `replace_all` and `attributes` build new ones.

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

pub use clock::WindowBounds;
pub use mistake::Mistake;
pub(crate) use output::SignalOutput;
pub use plan::Query;

#[cfg(test)]
mod tests;
