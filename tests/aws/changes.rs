//! Changes between scans: their events, the current state and past states.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use crate::support::{AccountNames, Airdig, CREDENTIALS, Moto, eventually};

const CONFIG: &str = r#"
receivers:
  aws:
    endpoint: ${env:ENDPOINT}
    regions: [us-east-1]
    interval: 1s
    kinds: {include: ["AWS::EC2::SecurityGroup*", "AWS::EC2::Volume"]}
    store: sqlite
processors:
  graph: {}
exporters:
  sqlite: {path: "${env:OUT}/graph.db"}
  file: {path: "${env:OUT}/rows.jsonl"}
  graphql: {endpoint: "127.0.0.1:0", store: sqlite}
service:
  pipelines:
    resources: {receivers: [aws], processors: [graph], exporters: [sqlite, file, graphql]}
"#;

/// An account in moto behind a gate, and a folder with the configuration and the exported rows.
struct GatedAccount {
    folder: tempfile::TempDir,
    moto: Moto,
    gate: Moto,
    names: AccountNames,
}

impl GatedAccount {
    fn new() -> GatedAccount {
        let folder = tempfile::tempdir().unwrap();
        let moto = Moto::start();
        let names = moto.build_account();
        let denied = folder.path().join("denied");
        fs::write(&denied, "").unwrap();
        fs::write(folder.path().join("rows.jsonl"), "").unwrap();
        fs::write(folder.path().join("aws.yaml"), CONFIG).unwrap();
        let gate = moto.gate(&denied);
        GatedAccount {
            folder,
            moto,
            gate,
            names,
        }
    }

    fn start(&self, settings: &str) -> Airdig {
        let over = self.folder.path().join("over.yaml");
        fs::write(&over, settings).unwrap();
        let config = self.folder.path().join("aws.yaml");
        let mut environment = vec![
            ("OUT", self.folder.path()),
            ("ENDPOINT", Path::new(&self.gate.url)),
        ];
        environment.extend(CREDENTIALS.map(|(name, value)| (name, Path::new(value))));
        Airdig::start_with(&[&config, &over], &environment)
    }

    fn deny(&self, actions: &str) {
        fs::write(self.folder.path().join("denied"), actions).unwrap();
    }

    fn step(&self, step: &str, arguments: &Json) -> Json {
        let printed = self.moto.run("step.py", &[step, &arguments.to_string()]);
        serde_json::from_str(&printed).unwrap()
    }

    /// The exported rows of `resources`, from this line on.
    fn rows(&self, from: usize) -> Vec<Json> {
        let text = fs::read_to_string(self.folder.path().join("rows.jsonl")).unwrap();
        let rows = text
            .lines()
            .skip(from)
            .map(|line| serde_json::from_str(line).unwrap());
        rows.filter(|row: &Json| row["signal"] == "resources")
            .collect()
    }

    fn lines(&self) -> usize {
        let text = fs::read_to_string(self.folder.path().join("rows.jsonl")).unwrap();
        text.lines().count()
    }

    /// Waits until six scopes are complete, two scans of three scopes: the first scan may have begun before the call.
    fn wait_for_scans(&self) {
        let from = self.lines();
        eventually("two scans", || {
            (completions(&self.rows(from)) >= 6).then_some(())
        });
    }

    /// The exported events as `CHANGE UID`, from this line on, sorted.
    fn events(&self, from: usize) -> Vec<String> {
        let events = self.rows(from).into_iter().filter_map(|row| {
            let change = row["change"].as_str()?;
            Some(format!("{change} {}", row["uid"].as_str()?))
        });
        let mut events: Vec<String> = events.collect();
        events.sort();
        events
    }
}

fn completions(rows: &[Json]) -> usize {
    rows.iter()
        .filter(|row| row["op"] == "scope_complete")
        .count()
}

fn now() -> String {
    // Later events must have later times.
    std::thread::sleep(std::time::Duration::from_millis(20));
    humantime::format_rfc3339_nanos(SystemTime::now()).to_string()
}

/// Whether the node exists now or at a past time; false if it has ended, None if it is unknown.
fn exists(airdig: &Airdig, uid: &str, at: Option<&str>) -> Option<bool> {
    let at = at.map(|at| format!(", asOf: {at:?}")).unwrap_or_default();
    let node = airdig.query(&format!("{{ node(uid: {uid:?}{at}) {{ ended }} }}"))["node"].clone();
    (!node.is_null()).then(|| node["ended"].is_null())
}

/// The number of address ranges in the ingress rules of the group.
fn permissions(airdig: &Airdig, uid: &str, at: Option<&str>) -> usize {
    let at = at.map(|at| format!(", asOf: {at:?}")).unwrap_or_default();
    let query =
        format!("{{ node(uid: {uid:?}{at}) {{ facts(groups: [\"actual\"]) {{ value }} }} }}");
    let node = airdig.query(&query)["node"].clone();
    let permissions = &node["facts"][0]["value"]["IpPermissions"];
    let ranges = permissions
        .as_array()
        .unwrap()
        .iter()
        .map(|permission| permission["IpRanges"].as_array().map_or(0, Vec::len));
    ranges.sum()
}

#[test]
fn events_compare_with_the_last_reported_state_also_across_a_restart() {
    let account = GatedAccount::new();
    let airdig = account.start("{}");
    account.wait_for_scans();
    let events = account.events(0);
    assert!(events.iter().all(|event| event.starts_with("created ")));

    // Without changes a scan emits one row per scope.
    let quiet = account.lines();
    account.wait_for_scans();
    assert_eq!(account.events(quiet), [""; 0]);
    let rows = account.rows(quiet);
    assert_eq!(completions(&rows), rows.len());

    // A group is opened and a volume is created.
    let group = account.names.uid("sg/db");
    let (before, closed) = (account.lines(), now());
    account.step("open_group", &json!({"group": account.names.id("sg/db")}));
    let volume = account.step("create_volume", &json!({"zone": "us-east-1a"}));
    let volume_uid = format!(
        "arn:aws:ec2:us-east-1:123456789012:volume/{}",
        volume.as_str().unwrap()
    );
    account.wait_for_scans();
    let open = now();
    let events = account.events(before);
    assert_eq!(events.len(), 3, "{events:?}");
    assert!(
        events.contains(&format!("created {volume_uid}")),
        "{events:?}"
    );
    assert!(events.contains(&format!("updated {group}")), "{events:?}");
    assert!(
        events
            .iter()
            .any(|event| event.contains("security-group-rule/")),
        "{events:?}"
    );
    let rules = permissions(&airdig, group, Some(&closed));
    assert_eq!(permissions(&airdig, group, None), rules + 1);
    assert_eq!(
        exists(&airdig, &volume_uid, Some(&closed)),
        None,
        "the volume was unknown then"
    );
    assert_eq!(exists(&airdig, &volume_uid, None), Some(true));

    // While airdig is down, the group is closed and the volume deleted.
    assert!(airdig.stop().success());
    let down = account.lines();
    account.step("close_group", &json!({"group": account.names.id("sg/db")}));
    account.step("delete_volume", &json!({"id": volume}));
    let airdig = account.start("{}");
    account.wait_for_scans();
    let events = account.events(down);
    assert_eq!(events.len(), 3, "{events:?}");
    assert!(
        events.contains(&format!("deleted {volume_uid}")),
        "{events:?}"
    );
    assert!(events.contains(&format!("updated {group}")), "{events:?}");
    assert_eq!(exists(&airdig, &volume_uid, None), Some(false));
    assert_eq!(exists(&airdig, &volume_uid, Some(&open)), Some(true));
    assert_eq!(permissions(&airdig, group, None), rules);
    assert_eq!(permissions(&airdig, group, Some(&open)), rules + 1);

    // A new volume has a new id: ids are never reused.
    let recreated = account.lines();
    account.step("create_volume", &json!({"zone": "us-east-1a"}));
    account.wait_for_scans();
    assert_eq!(account.events(recreated).len(), 1);
    assert!(airdig.stop().success());
}

#[test]
fn resources_of_a_denied_scan_do_not_end() {
    let account = GatedAccount::new();
    let airdig = account.start("{}");
    account.wait_for_scans();
    let volume = account.names.uid("volume/web-1");
    account.deny("DescribeVolumes");
    let denied = account.lines();
    account.step(
        "delete_volume",
        &json!({"id": account.names.id("volume/spare")}),
    );
    eventually("two scans of the others", || {
        (completions(&account.rows(denied)) >= 5).then_some(())
    });
    assert_eq!(
        account.events(denied),
        [""; 0],
        "a failed scan deletes no resource"
    );
    assert_eq!(exists(&airdig, volume, None), Some(true));
    assert_eq!(
        exists(&airdig, account.names.uid("volume/spare"), None),
        Some(true)
    );

    account.deny("");
    account.wait_for_scans();
    let spare = account.names.uid("volume/spare");
    assert_eq!(account.events(denied), [format!("deleted {spare}")]);
    assert_eq!(exists(&airdig, spare, None), Some(false));
    assert_eq!(exists(&airdig, volume, None), Some(true));
    assert!(airdig.stop().success());
}

#[test]
fn resources_that_a_narrower_filter_excludes_do_not_end() {
    let account = GatedAccount::new();
    let airdig = account.start("{}");
    account.wait_for_scans();
    assert!(airdig.stop().success());
    let narrow = account.lines();
    let airdig = account.start("receivers: {aws: {tags: {include: {Name: web-*}}}}");
    account.wait_for_scans();
    assert_eq!(account.events(narrow), [""; 0]);
    for name in ["volume/web-1", "volume/spare", "sg/db"] {
        assert_eq!(
            exists(&airdig, account.names.uid(name), None),
            Some(true),
            "{name}"
        );
    }
    assert!(airdig.stop().success());
}
