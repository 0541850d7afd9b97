//! Logs on standard error: for people on a terminal, JSON otherwise.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

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

/// Begins to log: at the level of the command line, else of the file, else `info`. Other crates
/// than ours are heard from `warn` on, unless everything is asked for.
pub(crate) fn start(asked: Option<Level>, configured: Option<&str>) {
    let level = asked.map(Level::name).or(configured).unwrap_or("info");
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

fn filter(level: &str) -> String {
    if matches!(level, "trace" | "warn" | "error") {
        return level.to_owned();
    }
    let ours = ["airdig", "pipeline", "receivers", "processors", "exporters"];
    let ours: Vec<String> = ours.iter().map(|name| format!("{name}={level}")).collect();
    // The AWS SDK warns of each way to credentials that leads nowhere; the receiver tells what came of it.
    format!("warn,aws_config=error,{}", ours.join(","))
}

#[cfg(test)]
mod tests {
    #[test]
    fn libraries_are_heard_from_warn_on() {
        assert!(super::filter("debug").starts_with("warn,aws_config=error,airdig=debug,"));
        assert_eq!(super::filter("error"), "error");
    }
}
