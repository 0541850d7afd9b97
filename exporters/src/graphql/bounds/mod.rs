//! Limits the cost of a query before it is validated, and validates queries on dedicated threads.
//!
//! ```text
//!  request ──▶ queue ──▶ ┌─ 2 threads that serve no receiver ──────────────────────┐ ──▶ other resolvers, on
//!              (128)     │ tokens ──▶ parser ──▶ document ──▶ validation, resolvers │     the task that polls
//!                        │ one pass              one pass     until the first await │     the response
//!                        └──────────────────────────────────────────────────────────┘
//! ```
//!
//! Queries from HTTP and from WebSockets both execute through [`BoundedSchema`].
//! `query_timeout` covers the time in the queue, on the threads and in the resolvers.
//!
//! | module | content |
//! |---|---|
//! | `limits` | the limits, and the error that names the exceeded one |
//! | `tokens` | bytes, tokens and nesting, before the recursive parser reads the text |
//! | `document`, `cost` | the cost of all operations with fragments expanded, computed once per fragment |
//! | `values` | the size of arguments with variables substituted |
//! | `extension` | `max_complexity` after validation, `query_timeout` during execution; suggested names in errors |
//! | `threads` | the threads and their queue |

mod cost;
mod document;
mod extension;
mod limits;
mod schema;
mod threads;
mod tokens;
mod values;

#[cfg(test)]
pub(super) use document::introspected_items;

pub(super) use schema::BoundedSchema;
