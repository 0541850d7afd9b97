//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Measures the graph store on a graph that it writes into a folder of its own (in `TMPDIR`).
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Nodes of the graph; documented are 20000, 200000 and 1000000
    #[arg(long, default_value_t = 20_000)]
    pub(crate) nodes: usize,
    /// Edges of the graph; five a node without it
    #[arg(long)]
    edges: Option<usize>,
    /// Give the graph a past: states, snapshots, runs of scans, ended nodes
    #[arg(long)]
    pub(crate) aged: bool,
    /// Only figures with this text in their names
    #[arg(long)]
    pub(crate) only: Option<String>,
    /// What an earlier run printed: its figures stand beside these
    #[arg(long)]
    pub(crate) compare: Option<PathBuf>,
    /// Keep the graph in this file; one that is there is read, not written again, and figures of writes
    /// are left out
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// Measure one start on this file; the benchmark runs itself so
    #[arg(long, hide = true)]
    pub(crate) start: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Arguments {
    pub(crate) fn edges(&self) -> usize {
        self.edges.unwrap_or(5 * self.nodes)
    }
}
