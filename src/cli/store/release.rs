//! `airdig store release`.

use std::process::ExitCode;

use clap::Args;
use exporters::sqlite;

use super::super::print;
use super::{Address, line, plural};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The receiver that is gone, by the name under which it reported: `aws`, `aws/production`.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// One scope, with those below it; all of the source by default.
    #[arg(long)]
    scope: Option<String>,
    /// The graph: `sqlite:airdig.db`.
    #[arg(value_name = "sqlite:PATH")]
    store: Address,
}

pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let store = sqlite::open_existing(&arguments.store.path).await;
    let store = store.map_err(|error| line(&error))?;
    let released = store.release(&arguments.source, arguments.scope.as_deref());
    let released = released.await;
    sqlite::close(&store).await;
    let released = released.map_err(|error| line(&error))?;
    let source = &arguments.source;
    if released.is_empty() {
        let nothing = format!("nothing to release: no scope of `{source}` has anything open");
        return Ok(print(&nothing));
    }
    let mut lines: Vec<String> = Vec::new();
    let resources = |count| plural(count, "resource", "resources");
    for scope in &released {
        let unobserved = resources(scope.unobserved);
        lines.push(format!(
            "{}: {unobserved} unobserved from now on",
            scope.scope
        ));
    }
    let all: u64 = released.iter().map(|scope| scope.unobserved).sum();
    let scopes = plural(released.len() as u64, "scope", "scopes");
    lines.push(format!(
        "released {scopes} of `{source}`: {} became unobserved",
        resources(all)
    ));
    Ok(print(&lines.join("\n")))
}
