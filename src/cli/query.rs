//! `airdig query`: asks a running airdig.

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::{FAILED, complain, print};

mod table;

/// A query may take as long as the server lets it.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// GraphQL, such as '{ serviceMap { edges { from to rate p95 } } }'; `-` reads it from standard
    /// input.
    query: String,
    /// Where a `graphql` exporter listens.
    #[arg(
        long,
        default_value = "http://127.0.0.1:8080/graphql",
        env = "AIRDIG_GRAPHQL"
    )]
    endpoint: String,
    /// The query's variables, as a JSON object.
    #[arg(long, value_name = "JSON")]
    variables: Option<String>,
    /// A table shows the first list of the answer; `auto` is one on a terminal.
    #[arg(long, short, value_enum, default_value_t = Output::Auto)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Auto,
    Json,
    Table,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match ask(arguments) {
        Ok((query, answer)) => tell(&query, &answer, arguments.output),
        Err(reason) => {
            complain(&reason);
            ExitCode::from(FAILED)
        }
    }
}

/// The query and its answer.
fn ask(arguments: &Arguments) -> Result<(String, Json), String> {
    let mut query = arguments.query.clone();
    if query == "-" {
        query.clear();
        let read = io::stdin().read_to_string(&mut query);
        read.map_err(|error| format!("cannot read the query from standard input: {error}"))?;
    }
    let variables: Json = match &arguments.variables {
        Some(text) => serde_json::from_str(text)
            .map_err(|error| format!("--variables is no JSON: {error}"))?,
        None => json!({}),
    };
    let endpoint = without_password(&arguments.endpoint);
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE));
    let agent: ureq::Agent = config.build().into();
    let body = json!({"query": query, "variables": variables}).to_string();
    let mut answer = agent
        .post(&arguments.endpoint)
        .content_type("application/json")
        .send(body)
        .map_err(|error| {
            format!(
                "no answer from {endpoint} ({error}): start airdig with a graphql exporter, or say where it is \
                 with --endpoint"
            )
        })?;
    let status = answer.status();
    let text = answer
        .body_mut()
        .read_to_string()
        .map_err(|error| format!("the answer of {endpoint} was cut off: {error}"))?;
    let answer: Json = serde_json::from_str(&text).map_err(|error| {
        let told = text.trim();
        format!("{endpoint} answered {status}, and no JSON ({error}): {told}")
    })?;
    if answer.get("data").is_none() && answer.get("errors").is_none() {
        return Err(format!(
            "{endpoint} answered {status}, and no GraphQL: {}",
            text.trim()
        ));
    }
    Ok((query, answer))
}

/// The address as it may be shown.
fn without_password(endpoint: &str) -> String {
    match (endpoint.split_once("://"), endpoint.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => endpoint.to_owned(),
    }
}

fn tell(query: &str, answer: &Json, output: Output) -> ExitCode {
    let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    for error in errors {
        complain(
            error["message"]
                .as_str()
                .unwrap_or("an error without a message"),
        );
    }
    let data = &answer["data"];
    let as_table = match output {
        Output::Json => None,
        Output::Table => table::of(data, query),
        Output::Auto => io::stdout()
            .is_terminal()
            .then(|| table::of(data, query))
            .flatten(),
    };
    let printed = match as_table {
        Some(table) => print(&table),
        None if data.is_null() => ExitCode::SUCCESS,
        None => print(&format!("{data:#}")),
    };
    if errors.is_empty() {
        printed
    } else {
        ExitCode::from(FAILED)
    }
}
