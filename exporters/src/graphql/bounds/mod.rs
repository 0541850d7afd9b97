//! Bounds what a query may cost before it is validated, and validates it on threads of its own.
//!
//! ```text
//!  request ──▶ queue ──▶ ┌─ 2 threads that serve no receiver ──────────────────────┐ ──▶ the rest, where
//!              (128)     │ tokens ──▶ parser ──▶ document ──▶ validation, resolvers │     the response is
//!                        │ one pass              one pass     until the first wait  │     awaited
//!                        └──────────────────────────────────────────────────────────┘
//! ```
//!
//! A query comes over HTTP or over a WebSocket; [`BoundedSchema`] is the only way to the schema for both.
//! `query_timeout` covers the queue, the threads and the resolvers.
//!
//! | module | rule |
//! |---|---|
//! | `limits` | how much a query may have, and the error that says which limit it exceeds |
//! | `tokens` | bytes, tokens and nesting, before the recursive parser sees the text |
//! | `document` | what the operations select with their fragments expanded; each fragment is measured once |
//! | `values` | the size of arguments with their variables substituted |
//! | `introspection` | how long the lists of an introspection are |
//! | `extension` | `max_complexity` after validation, `query_timeout` during execution |
//! | `suggestions` | which name was probably meant, for the first errors only |
//! | `threads` | the threads, and the queue before them |

mod cost;
mod document;
mod extension;
mod introspection;
mod limits;
mod schema;
mod suggestions;
mod threads;
mod tokens;
mod values;

#[cfg(test)]
pub(super) use introspection::items;

pub(super) use extension::ExecutionLimits;
pub(super) use schema::BoundedSchema;
