//! The binary as it is called: what it says and how it ends.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn airdig(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_airdig"))
        .args(arguments)
        .env("AIRDIG_TEST_SECRET", "hunter2")
        .env_remove("AIRDIG_TEST_UNSET")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn what_can_be_listed_ends_with_0() {
    for (arguments, expected) in [
        (&["version"][..], "airdig "),
        (&["components"], "STABILITY"),
        (&["schema"], "refresh_requests"),
        (&["schema", "traces"], "trace_id"),
    ] {
        let output = airdig(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stdout).contains(expected), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn a_bad_configuration_ends_with_2_and_all_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.yaml");
    let written = "\
receivers:
  nonsense: {password: '${env:AIRDIG_TEST_SECRET}'}
  unset: ${env:AIRDIG_TEST_UNSET}
service:
  telemetry: {logs: {level: '${env:AIRDIG_TEST_SECRET}'}}
  pipelines:
    traces: {receivers: [nonsens], exporters: ['${env:AIRDIG_TEST_SECRET}']}
";
    std::fs::write(&file, written).unwrap();
    let name = file.display().to_string();
    let output = airdig(&["validate", "--config", &name, "--set", "service.pipeline=1"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let told = text(&output.stderr);
    for expected in [
        format!("{name}:2:3: receivers: unknown type: \"nonsense\" for id: \"nonsense\" (valid"),
        format!("{name}:3:10: environment variable \"AIRDIG_TEST_UNSET\" is not set"),
        format!("{name}:5:29: expected one of trace, debug"),
        format!("{name}:7:26: service::pipelines::traces: references receiver \"nonsens\" which"),
        format!("{name}:7:48: service::pipelines::traces: references exporter \"${{env:AIRDIG_"),
        "                         ^ did you mean \"nonsense\"?".to_owned(),
        "--set:1:9: service: unknown key \"pipeline\"".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected}\n{told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_wrong_command_ends_with_2() {
    for arguments in [&["validate"][..], &["schema", "spans"], &["dance"]] {
        assert_eq!(airdig(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
