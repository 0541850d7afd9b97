//! A best way between two nodes.
//!
//! ```text
//!  path(from, to) ──▶ Route::between ──▶ Search: pass 1 goes round containers ──▶ nodes, edges
//!                                                pass 2 through them, where pass 1 finds no way
//! ```

mod route;
mod search;

pub(super) use route::Route;
