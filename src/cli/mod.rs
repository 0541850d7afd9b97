//! The commands of `airdig` and their exit codes.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

mod components;
mod configuration;
mod logs;
mod query;
mod run;
#[cfg(feature = "aws")]
mod scan;
mod schema;
mod store;
mod validate;

/// The command failed.
const FAILED: u8 = 1;
/// The configuration or the command line is invalid. (clap exits with 2, too.)
const BAD_CONFIGURATION: u8 = 2;

/// One graph of your cloud, from OpenTelemetry, scans, changes and drift.
#[derive(Debug, Parser)]
#[command(name = "airdig", version, disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The log level; overrides `service.telemetry.logs.level`.
    #[arg(long, global = true, value_enum, value_name = "LEVEL")]
    log_level: Option<logs::Level>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the pipelines of a configuration until SIGINT or SIGTERM.
    Run(configuration::ConfigArguments),
    /// Check a configuration and report all its problems.
    Validate(validate::Arguments),
    /// Send a GraphQL query to a running airdig.
    Query(query::Arguments),
    /// Scan AWS accounts once and show their resources.
    #[cfg(feature = "aws")]
    Scan(scan::Arguments),
    /// Scan AWS accounts (not in this build).
    #[cfg(not(feature = "aws"))]
    #[command(disable_help_flag = true)]
    Scan {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<String>,
    },
    /// Check or copy a graph file, or release the resources of a removed receiver.
    Store(store::Arguments),
    /// List the components that a configuration can use.
    Components,
    /// List the signals, or the columns of one.
    Schema(schema::Arguments),
    /// Print the version.
    Version,
}

/// The tip for users of the Collector, whose command line takes `--config` without a subcommand.
const RUN_TIP: &str = "run a configuration with 'airdig run --config FILE'";

/// Parses the command line. Exits the process if it is invalid.
pub(crate) fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| with_tip(error).exit())
}

fn with_tip(mut error: clap::Error) -> clap::Error {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if argument.is_some_and(|argument| argument.starts_with("--config")) {
        let tip = ContextValue::StyledStrs(vec![RUN_TIP.into()]);
        error.insert(ContextKind::Suggested, tip);
    }
    error
}

/// Runs the command, and returns the exit code of the process.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let registry = crate::components::registry();
    match cli.command {
        // `run` starts logging after it has read the level from its configuration.
        Command::Run(_) => {}
        // `scan` prints its failures itself.
        #[cfg(feature = "aws")]
        Command::Scan(_) => logs::start(cli.log_level, Some("error")),
        _ => logs::start(cli.log_level, None),
    }
    match cli.command {
        Command::Run(arguments) => run::run(&arguments, &registry, cli.log_level),
        Command::Validate(arguments) => validate::run(&arguments, &registry),
        Command::Query(arguments) => query::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Scan(arguments) => scan::run(&arguments, &registry),
        #[cfg(not(feature = "aws"))]
        Command::Scan { .. } => {
            let reason = crate::components::NO_AWS;
            print_error(&format!("`airdig scan` is not available: {reason}"));
            ExitCode::from(BAD_CONFIGURATION)
        }
        Command::Store(arguments) => store::run(&arguments),
        Command::Components => print(&components::table(&registry)),
        Command::Schema(arguments) => print(&schema::table(&arguments)),
        Command::Version => print(concat!("airdig ", env!("CARGO_PKG_VERSION"))),
    }
}

/// Writes to standard output, and returns the exit code of the process. A closed pipe (`| head`) is not a failure.
fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(FAILED),
        _ => ExitCode::SUCCESS,
    }
}

/// Writes a message to standard error. Write failures are ignored.
fn print_error(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Formats a table without borders.
fn plain_table<const N: usize>(
    header: Option<[&str; N]>,
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    if io::stdout().is_terminal() {
        // Cells wrap to fit the terminal; piped output keeps one line per row.
        table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    }
    if let Some(header) = header {
        table.set_header(header.map(str::to_uppercase));
    }
    table.add_rows(rows);
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, with_tip};

    #[test]
    fn clap_accepts_the_definition_of_the_command_line() {
        Cli::command().debug_assert();
    }

    #[test]
    fn config_without_a_command_suggests_airdig_run() {
        let error = Cli::try_parse_from(["airdig", "--config", "a.yaml"]).unwrap_err();
        let text = with_tip(error).to_string();
        assert!(text.contains("airdig run --config FILE"), "{text}");
    }
}
