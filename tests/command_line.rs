//! What the command line says, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::airdig;

const SIX_MISTAKES: &str = "\
receivers:
  otlp:
    protocols:
      grpc: {endpont: 127.0.0.1:4317}
  oltp: {}
exporters:
  debug: {verbosity: 3}
  file:
    path: a
    timeout: fast
service:
  pipelines:
    traces: {receivers: [otlp, otlp], exporters: [debug, fil]}
";

#[test]
fn six_mistakes_are_told_at_once_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wrong.yaml");
    fs::write(&config, SIX_MISTAKES).unwrap();
    let output = airdig()
        .arg("run")
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    for (place, what) in [
        ("4:14", "endpoint"),
        ("5:3", "otlp"),
        ("7:22", "verbosity"),
        ("10:14", "duration"),
        ("13:32", "multiple times"),
        ("13:58", "file"),
    ] {
        let found = told.split("\n\n").any(|problem| {
            problem.contains(&format!("wrong.yaml:{place}:")) && problem.contains(what)
        });
        assert!(found, "nothing at {place} about {what}:\n{told}");
    }
}

#[test]
fn every_example_is_valid() {
    let examples = examples(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/configs")));
    assert!(examples.len() > 7, "{examples:?}");
    for path in examples {
        let output = airdig()
            .arg("validate")
            .arg("--config")
            .arg(&path)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}", path.display());
    }
}

/// The YAML files in a folder and those within.
fn examples(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(examples(&path));
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_catalogue_names_every_component() {
    let output = airdig().arg("components").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    for component in [
        "demo",
        "otlp",
        "graph",
        "identity",
        "service_graph",
        "debug",
        "file",
        "graphql",
        "sqlite",
    ] {
        assert!(told.contains(component), "{component} is missing:\n{told}");
    }
}

#[test]
fn schemas_are_listed_and_printed() {
    let output = airdig().arg("schema").output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().count(),
        14
    );
    let output = airdig().args(["schema", "traces"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("trace_id") && told.contains("W3C trace flags"),
        "{told}"
    );
    let output = airdig().args(["schema", "trace"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("traces"));
}

#[test]
fn a_taken_port_is_one_line_that_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("taken.yaml");
    let address = taken.local_addr().unwrap();
    fs::write(
        &config,
        format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: '{address}'}}}}}}}}\n\
             exporters: {{debug: }}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
        ),
    )
    .unwrap();
    let output = airdig()
        .arg("run")
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains(&address.to_string()) && told.contains("in use"),
        "{told}"
    );
}
