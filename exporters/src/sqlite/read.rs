//! Answers: few statements, each for a whole set; what is current is found by `pipeline::facts`.

mod aliases;
mod edges;
mod facts;
mod figures;
mod kinds;
mod names;
mod nodes;
mod scanned;
mod search;
mod timeline;

pub(super) use aliases::{aliases_of, resolve};
pub(super) use edges::edges;
pub(super) use figures::edge_figures;
pub(super) use kinds::{count_kinds, kinds_of};
pub(super) use names::names;
pub(super) use nodes::{list, nodes};
pub(super) use scanned::scanned;
pub(super) use search::search;
pub(super) use timeline::timeline;
