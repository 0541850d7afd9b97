//! Tests of the store over the backend in memory.

mod release;
mod replay;
mod several_scopes;
