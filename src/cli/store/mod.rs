//! `airdig store`: checks, copies and corrects a graph in a file, while airdig runs or not.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Subcommand};
use exporters::sqlite::InvalidPath;
use pipeline::component::Chain;

use super::{FAILED, complain};

mod check;
mod copy;
mod release;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare what the graph shows now with the reports that it keeps.
    ///
    /// Nodes, edges, aliases, texts and counts are computed anew from the reports, a page at a time, while
    /// others write. The exit code is 0 when all agrees and 1 when not.
    Check(check::Arguments),
    /// Copy the graph into a new file, while airdig writes it or not.
    ///
    /// The copy has all that was committed before it began. It gets its name when it is complete.
    Copy(copy::Arguments),
    /// Release what a receiver that is gone reported: nothing observes it any more, and nothing ends.
    ///
    /// Remove the receiver from the configuration first: one that still runs reports its resources again
    /// with its next scan.
    Release(release::Arguments),
}

/// Where a graph is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum InvalidAddress {
    #[error("expected `sqlite:PATH`, such as `sqlite:airdig.db`")]
    Form,
    #[error("expected `sqlite:PATH`, such as `sqlite:airdig.db`: {0}")]
    Path(#[from] InvalidPath),
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        let path = text.strip_prefix("sqlite:").ok_or(InvalidAddress::Form)?;
        let path = PathBuf::from(path);
        InvalidPath::check(&path)?;
        Ok(Address { path })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}", self.path.display())
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start threads: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let done = runtime.block_on(async {
        match &arguments.command {
            Command::Check(arguments) => check::run(arguments).await,
            Command::Copy(arguments) => copy::run(arguments).await,
            Command::Release(arguments) => release::run(arguments).await,
        }
    });
    done.unwrap_or_else(|reason| {
        complain(&reason);
        ExitCode::from(FAILED)
    })
}

/// An error with its causes, in one line.
fn line(error: &(dyn std::error::Error + 'static)) -> String {
    Chain(error).to_string()
}

fn plural(count: u64, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_names_a_file() {
        let address: Address = "sqlite:/tmp/a.db".parse().unwrap();
        assert_eq!(address.path.to_str(), Some("/tmp/a.db"));
        assert_eq!(address.to_string(), "sqlite:/tmp/a.db");
        for wrong in ["airdig.db", "mysql://host", "sqlite:", "sqlite::memory:"] {
            let error = wrong.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("expected `sqlite:PATH`"), "{wrong}: {error}");
        }
    }
}
