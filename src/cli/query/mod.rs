//! `airdig query`: sends a GraphQL query to a running airdig.

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::{FAILED, print, print_error};

mod table;

/// The timeout of a request. It is longer than the default `query_timeout` of the server, so that the server cancels
/// a slow query first.
const TIMEOUT: Duration = Duration::from_secs(300);

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A GraphQL query, such as '{ serviceMap { edges { from to rate p95 } } }'; `-` reads it from standard
    /// input.
    query: String,
    /// The URL of a `graphql` exporter.
    #[arg(
        long,
        default_value = "http://127.0.0.1:8080/graphql",
        env = "AIRDIG_GRAPHQL"
    )]
    endpoint: String,
    /// The query's variables, as a JSON object.
    #[arg(long, value_name = "JSON")]
    variables: Option<String>,
    /// `table` shows the first list of the response; `auto` is `table` on a terminal and `json` otherwise.
    #[arg(long, short, value_enum, default_value_t = QueryOutput::Auto)]
    output: QueryOutput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum QueryOutput {
    Auto,
    Json,
    Table,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match send(arguments) {
        Ok((query, response)) => show(&query, &response, arguments.output),
        Err(reason) => {
            print_error(&reason);
            ExitCode::from(FAILED)
        }
    }
}

/// Sends the query. Returns the text of the query and its response.
///
/// # Errors
/// If there is no GraphQL response: the message for the user.
fn send(arguments: &Arguments) -> Result<(String, Json), String> {
    let mut query = arguments.query.clone();
    if query == "-" {
        query.clear();
        let read = io::stdin().read_to_string(&mut query);
        read.map_err(|error| format!("cannot read the query from standard input: {error}"))?;
    }
    let variables: Json = match &arguments.variables {
        Some(text) => serde_json::from_str(text)
            .map_err(|error| format!("--variables is not valid JSON: {error}"))?,
        None => json!({}),
    };
    let endpoint = without_password(&arguments.endpoint);
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT));
    let agent: ureq::Agent = config.build().into();
    let request = json!({"query": query, "variables": variables}).to_string();
    let mut response = agent
        .post(&arguments.endpoint)
        .content_type("application/json")
        .send(request)
        .map_err(|error| {
            format!(
                "no response from {endpoint}: {error}; start airdig with a `graphql` exporter, or pass its URL \
                 with --endpoint"
            )
        })?;
    let status = response.status();
    let body = response
        .body_mut()
        .read_to_string()
        .map_err(|error| format!("cannot read the response of {endpoint}: {error}"))?;
    let response: Json = serde_json::from_str(&body).map_err(|error| {
        let body = body.trim();
        format!("{endpoint} responded with {status} and a body that is not JSON ({error}): {body}")
    })?;
    if response.get("data").is_none() && response.get("errors").is_none() {
        return Err(format!(
            "{endpoint} responded with {status} and a body that is not a GraphQL response: {}",
            body.trim()
        ));
    }
    Ok((query, response))
}

/// The endpoint without user name and password.
fn without_password(endpoint: &str) -> String {
    match (endpoint.split_once("://"), endpoint.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => endpoint.to_owned(),
    }
}

/// Prints the data and the errors of a response.
fn show(query: &str, response: &Json, output: QueryOutput) -> ExitCode {
    let errors = response["errors"].as_array().map_or(&[][..], Vec::as_slice);
    for error in errors {
        print_error(
            error["message"]
                .as_str()
                .unwrap_or("an error without a message"),
        );
    }
    let data = &response["data"];
    let as_table = match output {
        QueryOutput::Json => None,
        QueryOutput::Table => table::render(data, query),
        QueryOutput::Auto => io::stdout()
            .is_terminal()
            .then(|| table::render(data, query))
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
