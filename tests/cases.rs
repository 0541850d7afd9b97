//! Golden tests of whole pipelines. Each folder of `tests/cases/` is one case:
//!
//! - `pipeline.yaml`: the configuration, or the settings that override those of an example in `configs/`;
//!   `${env:OUT}` is an empty temporary folder;
//! - `input/*-SIGNAL.json`: OTLP JSON requests, posted in the order of their file names;
//! - `expected/NAME.jsonl`: the expected lines of `$OUT/NAME.jsonl`, in any order;
//! - `expected/NAME.graphql` and `NAME.answer.json`: queries and their expected responses.
//!
//! `AIRDIG_BLESS=1 cargo test --test whole cases` replaces the expected files by the actual output: review the diff
//! before you commit it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::support::{Airdig, eventually, post};

#[test]
fn otlp_requests_are_exported_unchanged() {
    run("otlp_comes_out_as_it_came_in");
}

#[test]
fn traces_become_a_service_map() {
    run("traces_become_a_service_map");
}

#[test]
fn health_checks_debug_logs_and_idle_pools_are_dropped() {
    run_over("sql/drop.yaml", "sql_drop");
}

#[test]
fn attributes_are_renamed() {
    run_over("sql/rename.yaml", "sql_rename");
}

#[test]
fn secrets_are_redacted() {
    run_over("sql/redact.yaml", "sql_redact");
}

#[test]
fn spans_are_counted_per_route() {
    run_over("sql/derive_metric.yaml", "sql_derive_metric");
}

#[test]
fn failed_spans_after_a_drift_are_selected() {
    run_over("sql/drift_and_traces.yaml", "sql_drift_and_traces");
}

#[test]
fn the_slowest_routes_are_emitted() {
    run_over("sql/top_k.yaml", "sql_top_k");
}

#[test]
fn every_case_folder_is_listed() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut names: Vec<String> = entries(&cases)
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "otlp_comes_out_as_it_came_in",
            "sql_derive_metric",
            "sql_drift_and_traces",
            "sql_drop",
            "sql_redact",
            "sql_rename",
            "sql_top_k",
            "traces_become_a_service_map"
        ]
    );
}

fn run(name: &str) {
    run_with(&[], name);
}

/// Runs an example of `configs/`, overridden by the case's own file.
fn run_over(example: &str, name: &str) {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    run_with(&[&configs.join(example)], name);
}

fn run_with(base_configs: &[&Path], name: &str) {
    let case = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name);
    let out = tempfile::tempdir().unwrap();
    let own = case.join("pipeline.yaml");
    let airdig = Airdig::start_with(&[base_configs, &[&own]].concat(), &[("OUT", out.path())]);
    let http = airdig.address("receivers/otlp", "http");
    for input in entries(&case.join("input")) {
        let signal = input
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .rsplit('-')
            .next()
            .unwrap()
            .to_owned();
        let url = format!("http://{http}/v1/{signal}");
        let (status, answer) = post(&url, "application/json", &fs::read(&input).unwrap());
        assert_eq!(status, 200, "{}: {answer}", input.display());
    }
    for query_file in entries(&case.join("expected")) {
        if query_file
            .extension()
            .is_some_and(|extension| extension == "graphql")
        {
            compare_answer(&airdig, &query_file);
        }
    }
    assert!(airdig.stop().success());
    for expected in entries(&case.join("expected")) {
        if expected
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            compare_lines(&out.path().join(expected.file_name().unwrap()), &expected);
        }
    }
}

/// Repeats the query until the response is the expected one, since rows that a tick emits arrive after their input.
/// Fails with the last response.
fn compare_answer(airdig: &Airdig, query_file: &Path) {
    let expected = query_file.with_extension("answer.json");
    let query = fs::read_to_string(query_file).unwrap();
    if blessing() {
        std::thread::sleep(std::time::Duration::from_secs(5));
        fs::write(&expected, format!("{:#}\n", airdig.query(&query))).unwrap();
    }
    let expected_response: Json = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
    let mut last = Json::Null;
    let start = std::time::Instant::now();
    eventually("the expected response", || {
        last = airdig.query(&query);
        (last == expected_response || start.elapsed() > std::time::Duration::from_secs(15))
            .then_some(())
    });
    assert_eq!(
        last,
        expected_response,
        "{}: {last:#}",
        query_file.display()
    );
}

fn compare_lines(actual: &Path, expected: &Path) {
    if blessing() {
        fs::copy(actual, expected).unwrap();
    }
    assert_eq!(lines(actual), lines(expected), "{}", expected.display());
}

fn lines(path: &Path) -> Vec<String> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap().to_string())
        .collect();
    lines.sort();
    lines
}

fn blessing() -> bool {
    std::env::var_os("AIRDIG_BLESS").is_some()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read_dir =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = read_dir.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
