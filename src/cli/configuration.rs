//! `--config` and `--set`: from files to a checked topology.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pipeline::config::{self, Loading, Problem};
use pipeline::registry::Registry;
use pipeline::topology::{self, Topology};

use super::{BAD_CONFIGURATION, complain};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A YAML file; a later one stands over those before it.
    #[arg(long = "config", short = 'c', required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One setting over all files, its value in YAML: `exporters.debug.verbosity=detailed`.
    #[arg(long = "set", value_name = "A.B=VALUE")]
    settings: Vec<String>,
}

impl Arguments {
    /// All problems of all files, in the order of their places.
    pub(crate) fn check(&self, registry: &Registry) -> Result<Topology, Vec<Problem>> {
        let loaded = config::load(&self.files, &self.settings, Loading::default());
        let mut problems = loaded.problems;
        if loaded.is_partial {
            // What is missing in the rest may well stand in the file that could not be read.
            return Err(problems);
        }
        match topology::check(&loaded.root, registry) {
            Ok(topology) if problems.is_empty() => Ok(topology),
            Ok(_) => Err(problems),
            Err(more) => {
                problems.extend(more);
                problems.sort();
                Err(problems)
            }
        }
    }

    /// As [`Arguments::check`]; tells the problems and says how the process ends.
    pub(crate) fn topology(&self, registry: &Registry) -> Result<Topology, ExitCode> {
        self.check(registry).map_err(|problems| {
            for problem in &problems {
                complain(&problem.to_string());
            }
            let count = problems.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            complain(&format!("the configuration has {count} {noun}"));
            ExitCode::from(BAD_CONFIGURATION)
        })
    }
}
