//! `airdig store`: checks, repairs and copies a graph file, and releases the claims of a source. All commands work
//! while airdig writes to the file.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Subcommand};
use exporters::sqlite::InvalidPath;
use pipeline::component::ErrorChain;

use super::{FAILED, print_error};

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
    /// Compare the current rows of a graph with the reports that it stores.
    ///
    /// Computes nodes, edges, aliases, texts and counts from the reports, a page at a time, while other
    /// processes write. The exit code is 0 if all rows agree and 1 if not.
    Check(check::Arguments),
    /// Copy the graph into a new file, also while airdig writes to the graph.
    ///
    /// The copy contains all commits before the start of this command. The file gets its name when the copy is
    /// complete.
    Copy(copy::Arguments),
    /// Release the claims of a removed receiver: its resources become unobserved, not deleted.
    ///
    /// Remove the receiver from the configuration first: a running receiver reports its resources again
    /// with its next scan.
    Release(release::Arguments),
}

/// The address of a graph file: `sqlite:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StoreAddress {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum InvalidStoreAddress {
    #[error("expected `sqlite:PATH`, such as `sqlite:airdig.db`")]
    Form,
    #[error("expected `sqlite:PATH`, such as `sqlite:airdig.db`: {0}")]
    Path(#[from] InvalidPath),
}

impl FromStr for StoreAddress {
    type Err = InvalidStoreAddress;

    fn from_str(text: &str) -> Result<StoreAddress, InvalidStoreAddress> {
        let path = text
            .strip_prefix("sqlite:")
            .ok_or(InvalidStoreAddress::Form)?;
        let path = PathBuf::from(path);
        InvalidPath::check(&path)?;
        Ok(StoreAddress { path })
    }
}

impl fmt::Display for StoreAddress {
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
            print_error(&format!("cannot start the runtime threads: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let outcome = runtime.block_on(async {
        match &arguments.command {
            Command::Check(arguments) => check::run(arguments).await,
            Command::Copy(arguments) => copy::run(arguments).await,
            Command::Release(arguments) => release::run(arguments).await,
        }
    });
    outcome.unwrap_or_else(|reason| {
        print_error(&reason);
        ExitCode::from(FAILED)
    })
}

/// An error with its causes, on one line.
fn on_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    ErrorChain(error).to_string()
}

fn plural(count: u64, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::StoreAddress;

    #[test]
    fn an_address_names_a_file() {
        let address: StoreAddress = "sqlite:/tmp/a.db".parse().unwrap();
        assert_eq!(address.path.to_str(), Some("/tmp/a.db"));
        assert_eq!(address.to_string(), "sqlite:/tmp/a.db");
        for wrong in ["airdig.db", "mysql://host", "sqlite:", "sqlite::memory:"] {
            let error = wrong.parse::<StoreAddress>().unwrap_err().to_string();
            assert!(error.contains("expected `sqlite:PATH`"), "{wrong}: {error}");
        }
    }
}
