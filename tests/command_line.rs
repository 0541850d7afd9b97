//! Output and exit codes of the command line.

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
fn six_mistakes_are_reported_at_once_with_their_positions() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wrong.yaml");
    fs::write(&config, SIX_MISTAKES).unwrap();
    let output = airdig()
        .arg("run")
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    for (place, what) in [
        ("4:14", "endpoint"),
        ("5:3", "otlp"),
        ("7:22", "verbosity"),
        ("10:14", "duration"),
        ("13:32", "multiple times"),
        ("13:58", "file"),
    ] {
        let is_reported = printed.split("\n\n").any(|problem| {
            problem.contains(&format!("wrong.yaml:{place}:")) && problem.contains(what)
        });
        assert!(
            is_reported,
            "no problem at {place} about {what}:\n{printed}"
        );
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
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {printed}", path.display());
    }
}

/// The YAML files in a folder and its subfolders.
fn examples(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(examples(&path));
        } else if path.extension().is_some_and(|it| it == "yaml") {
            files.push(path);
        }
    }
    files
}

#[test]
fn components_lists_every_component() {
    let output = airdig().arg("components").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
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
        assert!(
            printed.contains(component),
            "{component} is missing:\n{printed}"
        );
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
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("trace_id") && printed.contains("W3C trace flags"),
        "{printed}"
    );
    let output = airdig().args(["schema", "trace"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("traces"));
}

#[test]
fn a_port_in_use_is_an_error_with_the_address() {
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
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(
        printed.contains(&address.to_string()) && printed.contains("in use"),
        "{printed}"
    );
}
