//! `airdig store release`: releases the claims of a removed receiver.

use std::process::ExitCode;

use clap::Args;
use exporters::sqlite;

use super::{StoreAddress, on_one_line, plural};
use crate::cli::print;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The id of the removed receiver: `aws`, `aws/production`.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// Only this scope and the scopes below it; by default all scopes of the source.
    #[arg(long)]
    scope: Option<String>,
    /// The graph file: `sqlite:airdig.db`.
    #[arg(value_name = "sqlite:PATH")]
    store: StoreAddress,
}

pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let store = sqlite::open_existing(&arguments.store.path).await;
    let store = store.map_err(|error| on_one_line(&error))?;
    let released = store.release(&arguments.source, arguments.scope.as_deref());
    let released = released.await;
    sqlite::close(&store).await;
    let released = released.map_err(|error| on_one_line(&error))?;
    let source = &arguments.source;
    if released.is_empty() {
        let message = format!("nothing to release: no scope of `{source}` has an open claim");
        return Ok(print(&message));
    }
    let mut lines: Vec<String> = Vec::new();
    let resources = |count| plural(count, "resource", "resources");
    for scope in &released {
        let unobserved = resources(scope.unobserved);
        lines.push(format!("{}: {unobserved} became unobserved", scope.scope));
    }
    let total: u64 = released.iter().map(|scope| scope.unobserved).sum();
    let scopes = plural(released.len() as u64, "scope", "scopes");
    lines.push(format!(
        "released {scopes} of `{source}`: {} became unobserved",
        resources(total)
    ));
    Ok(print(&lines.join("\n")))
}
