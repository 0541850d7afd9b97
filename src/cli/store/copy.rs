//! `airdig store copy`: copies a graph file.

use std::process::ExitCode;

use clap::Args;
use exporters::sqlite;

use super::{StoreAddress, on_one_line};
use crate::cli::print;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The graph to copy: `sqlite:airdig.db`.
    #[arg(long, value_name = "sqlite:PATH")]
    from: StoreAddress,
    /// The new file. It must not exist; its folder must.
    #[arg(long, value_name = "sqlite:PATH")]
    to: StoreAddress,
}

pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let (from, to) = (&arguments.from, &arguments.to);
    let copied = sqlite::copy(&from.path, &to.path).await;
    let bytes = copied.map_err(|error| on_one_line(&error))?;
    Ok(print(&format!("copied {from} to {to}: {bytes} bytes")))
}
