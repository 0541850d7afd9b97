//! SQL over batches, run by DataFusion. The tables are the signals.
//!
//! ```text
//! text ──planner──▶ plan ──run──▶ rows ──output──▶ rows of a signal
//!          once            per batch
//! ```
//!
//! `attributes['k']['n'][0]` reads a value of a column of attributes as text. A cast, or a comparison with a number,
//! reads it as that type; the result is null if the value is absent or of another type. `to_json` and `keys` show
//! attributes; `set`, `without`, `replace_all` and `attributes` build new ones.

mod access;
mod cast;
mod clock;
mod copyless_filter;
mod edit;
mod getter;
mod output;
mod path;
mod planner;
mod read;
mod replace;
mod restrictions;
mod rewrite;
mod run;
mod sequential;
mod session;
mod show;
mod slot;
mod sql_text;
mod typed;
mod value;
mod views;

pub use clock::WindowBounds;
pub(crate) use output::SignalOutput;
pub use run::Query;
pub use sql_text::QueryProblem;

#[cfg(test)]
mod tests;
