//! `airdig store copy`.

use std::process::ExitCode;

use clap::Args;
use exporters::sqlite;

use super::super::print;
use super::{Address, line};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The graph to copy: `sqlite:airdig.db`.
    #[arg(long, value_name = "sqlite:PATH")]
    from: Address,
    /// The copy, a file that does not exist in a folder that does.
    #[arg(long, value_name = "sqlite:PATH")]
    to: Address,
}

pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let (from, to) = (&arguments.from, &arguments.to);
    let copied = sqlite::copy(&from.path, &to.path).await;
    let bytes = copied.map_err(|error| line(&error))?;
    Ok(print(&format!("copied {from} to {to}: {bytes} bytes")))
}
