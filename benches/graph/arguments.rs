//! The command line of the benchmark.

use std::path::PathBuf;

use clap::Parser;

/// Measure the graph store on a new graph in a temporary folder (in `TMPDIR`).
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Nodes of the graph; README.md has results for 200000 and 1000000
    #[arg(long, default_value_t = 20_000)]
    pub(crate) nodes: usize,
    /// Edges of the graph; by default five per node
    #[arg(long)]
    edges: Option<usize>,
    /// Add history to the graph: states, snapshots, scan runs, ended nodes
    #[arg(long)]
    pub(crate) aged: bool,
    /// Measure only figures whose names contain this text
    #[arg(long)]
    pub(crate) only: Option<String>,
    /// The output of an earlier run, to compare with
    #[arg(long)]
    pub(crate) compare: Option<PathBuf>,
    /// Keep the graph in this file; if it exists, it is read, not written again, and writes are not
    /// measured
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// Measure one start on this file; the benchmark runs itself with this option
    #[arg(long, hide = true)]
    pub(crate) start: Option<PathBuf>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Arguments {
    pub(crate) fn edges(&self) -> usize {
        self.edges.unwrap_or(5 * self.nodes)
    }
}
