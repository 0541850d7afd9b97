//! Logs to standard error: text on a terminal, JSON otherwise.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// A log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// Installs the logger with the level of the command line, else that of the configuration, else `info`. Libraries log
/// nothing below `warn`, except at the level `trace`.
pub(crate) fn start(requested: Option<Level>, configured: Option<&str>) {
    let level = requested.map(Level::name).or(configured).unwrap_or("info");
    let filter = EnvFilter::new(filter(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    if io::stderr().is_terminal() {
        builder.with_target(false).init();
    } else {
        builder.json().flatten_event(true).init();
    }
}

/// The filter directives for a level.
fn filter(level: &str) -> String {
    if matches!(level, "trace" | "warn" | "error") {
        return level.to_owned();
    }
    let crates = ["airdig", "pipeline", "receivers", "processors", "exporters"];
    let directives: Vec<String> = crates.map(|name| format!("{name}={level}")).into();
    // The AWS SDK warns about each credentials provider that fails; the receiver logs the final outcome.
    format!("warn,aws_config=error,{}", directives.join(","))
}

#[cfg(test)]
mod tests {
    #[test]
    fn libraries_log_nothing_below_warn() {
        assert!(super::filter("debug").starts_with("warn,aws_config=error,airdig=debug,"));
        assert_eq!(super::filter("error"), "error");
    }
}
