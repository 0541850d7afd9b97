//! The `airdig store` commands, while airdig writes the graph and after it stopped.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::{Airdig, airdig, eventually};

const CONFIG: &str = r#"
receivers:
  demo: {speed: 60}
processors:
  identity: {}
  graph: {}
  service_graph: {store: {ttl: 1s}}
exporters:
  sqlite: {path: "${env:OUT}/graph.db"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    unified: {receivers: [demo], processors: [identity, graph, service_graph], exporters: [sqlite, graphql]}
"#;

fn store(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = airdig();
    command.arg("store");
    for argument in arguments {
        let path = |name: &str| format!("sqlite:{}", folder.join(name).display());
        match argument.strip_prefix("sqlite:") {
            Some(name) => command.arg(path(name)),
            None => command.arg(argument),
        };
    }
    command.output().unwrap()
}

fn succeeds(output: &Output) -> String {
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{printed}\n{errors}");
    printed
}

fn fails(output: &Output, code: i32) -> String {
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{printed}\n{errors}");
    errors
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_live_graph_can_be_checked_and_copied_and_scopes_of_the_copy_can_be_released() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("demo.yaml");
    fs::write(&config, CONFIG).unwrap();
    let running = Airdig::start(&config, &[("OUT", folder.path())]);
    eventually("a service map", || {
        let map = running.query("{ serviceMap { edges { from } } }");
        let edges = map["serviceMap"]["edges"].as_array()?.len();
        (edges >= 12).then_some(())
    });
    for arguments in [
        &["check", "sqlite:graph.db"][..],
        &[
            "copy",
            "--from",
            "sqlite:graph.db",
            "--to",
            "sqlite:copy.db",
        ],
        &["check", "sqlite:copy.db"],
        &["check", "--rebuild", "sqlite:graph.db"],
    ] {
        let printed = succeeds(&store(folder.path(), arguments));
        assert!(
            printed.contains("agree with the reports") || printed.starts_with("copied sqlite:"),
            "{printed}"
        );
    }
    assert!(running.stop().success());
    let unknown = ["release", "--source", "gone", "sqlite:copy.db"];
    let printed = fails(&store(folder.path(), &unknown), 1);
    let source = printed.split('`').nth(3).expect("it lists the sources");
    let known = ["release", "--source", source, "sqlite:copy.db"];
    let printed = succeeds(&store(folder.path(), &known));
    assert!(printed.contains("became unobserved"), "{printed}");
    let printed = succeeds(&store(folder.path(), &known));
    assert!(printed.starts_with("nothing to release"), "{printed}");
    succeeds(&store(folder.path(), &["check", "sqlite:copy.db"]));
}

#[test]
fn an_invalid_address_and_a_missing_file_are_errors_that_name_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let printed = fails(&store(folder.path(), &["check", "graph.db"]), 2);
    assert!(printed.contains("expected `sqlite:PATH`"), "{printed}");
    for arguments in [
        &["check", "sqlite:none.db"][..],
        &["copy", "--from", "sqlite:none.db", "--to", "sqlite:copy.db"],
        &["release", "--source", "aws", "sqlite:none.db"],
    ] {
        let printed = fails(&store(folder.path(), arguments), 1);
        assert!(printed.contains("there is no file"), "{printed}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
