//! The options `--config` and `--set`: loads the files and checks the topology.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pipeline::config::{self, LoadContext, Problem};
use pipeline::registry::Registry;
use pipeline::topology::{self, Topology};

use super::{BAD_CONFIGURATION, print_error};

#[derive(Args, Debug)]
pub(crate) struct ConfigArguments {
    /// A YAML file. Repeat the option to merge several files; a later file overrides earlier ones.
    #[arg(long = "config", short = 'c', required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One setting that overrides all files, its value in YAML: `exporters.debug.verbosity=detailed`.
    #[arg(long = "set", value_name = "A.B=VALUE")]
    settings: Vec<String>,
}

impl ConfigArguments {
    /// The arguments `--config` for these files, and no `--set`.
    #[cfg(feature = "aws")]
    pub(crate) fn from_files(files: &[PathBuf]) -> ConfigArguments {
        ConfigArguments {
            files: files.to_vec(),
            settings: Vec::new(),
        }
    }

    /// Loads and checks the files.
    ///
    /// # Errors
    /// All problems of all files, sorted by file, line and column.
    pub(crate) fn check(&self, registry: &Registry) -> Result<Topology, Vec<Problem>> {
        let loaded = config::load(&self.files, &self.settings, LoadContext::default());
        let mut problems = loaded.problems;
        if loaded.is_partial {
            // Settings that seem to be missing may be in the file that could not be read.
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

    /// Like [`ConfigArguments::check`], but prints the problems and returns the exit code of the process.
    pub(crate) fn topology(&self, registry: &Registry) -> Result<Topology, ExitCode> {
        self.check(registry).map_err(|problems| {
            for problem in &problems {
                print_error(&format!("{problem}\n"));
            }
            let count = problems.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            print_error(&format!("the configuration has {count} {noun}"));
            ExitCode::from(BAD_CONFIGURATION)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pipeline::registry::Registry;

    #[derive(Parser)]
    struct TestCommand {
        #[command(flatten)]
        arguments: super::ConfigArguments,
    }

    #[test]
    fn all_problems_are_reported_without_values_of_environment_variables() {
        let file = std::env::temp_dir().join(format!("airdig-{}.yaml", std::process::id()));
        // Cargo sets this variable for tests.
        let yaml = "\
receivers:
  nonsense: {password: '${env:CARGO_MANIFEST_DIR}'}
  unset: ${env:AIRDIG_TEST_UNSET}
service:
  telemetry: {logs: {level: '${env:CARGO_MANIFEST_DIR}'}}
  pipelines:
    traces: {receivers: [nonsens], exporters: ['${env:CARGO_MANIFEST_DIR}']}
";
        std::fs::write(&file, yaml).unwrap();
        let name = file.display().to_string();
        let command_line = ["airdig", "--config", &name, "--set", "service.pipeline=1"];
        let arguments = TestCommand::parse_from(command_line).arguments;
        let problems = arguments.check(&Registry::new()).unwrap_err();
        std::fs::remove_file(&file).unwrap();
        let places: Vec<(usize, usize)> = problems
            .iter()
            .map(|problem| (problem.position.line(), problem.position.column()))
            .collect();
        let expected = [(1, 9), (2, 3), (3, 3), (3, 10), (5, 29), (7, 26), (7, 48)];
        assert_eq!(places, expected);
        for problem in problems {
            let message = problem.to_string();
            assert!(!message.contains(env!("CARGO_MANIFEST_DIR")), "{message}");
        }
    }
}
