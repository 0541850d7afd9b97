//! Finds the best path between two nodes.
//!
//! ```text
//!  path(from, to) ──▶ Route::between ──▶ Search: pass 1 avoids containers ──▶ nodes, edges
//!                                                pass 2 uses them, if pass 1 finds no path
//! ```

mod route;
mod search;

pub(super) use route::Route;
