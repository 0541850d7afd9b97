//! What happens between scans: events, what is current, and what was.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use crate::support::{Airdig, CREDENTIALS, Moto, Names, eventually};

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

/// A folder with the configuration, and what came out so far.
struct Account {
    folder: tempfile::TempDir,
    moto: Moto,
    gate: Moto,
    names: Names,
}

impl Account {
    fn new() -> Account {
        let folder = tempfile::tempdir().unwrap();
        let moto = Moto::start();
        let names = moto.build_account();
        let denied = folder.path().join("denied");
        fs::write(&denied, "").unwrap();
        fs::write(folder.path().join("rows.jsonl"), "").unwrap();
        fs::write(folder.path().join("aws.yaml"), CONFIG).unwrap();
        let gate = moto.gate(&denied);
        Account {
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
        let told = self.moto.run("step.py", &[step, &arguments.to_string()]);
        serde_json::from_str(&told).unwrap()
    }

    /// Rows of `resources` that have come, from this line on.
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

    /// Waits for two whole scans from now on: the first may have begun before.
    fn wait_for_scans(&self) {
        let from = self.lines();
        eventually("two scans", || {
            (completions(&self.rows(from)) >= 6).then_some(())
        });
    }

    /// The events that came, `change uid`, from this line on.
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
    // GraphQL takes RFC 3339; what happens next happens later.
    std::thread::sleep(std::time::Duration::from_millis(20));
    humantime::format_rfc3339_nanos(SystemTime::now()).to_string()
}

/// Whether it was there, and has ended, at a moment.
fn is_there(airdig: &Airdig, uid: &str, at: Option<&str>) -> Option<bool> {
    let at = at.map(|at| format!(", asOf: {at:?}")).unwrap_or_default();
    let node = airdig.query(&format!("{{ node(uid: {uid:?}{at}) {{ ended }} }}"))["node"].clone();
    (!node.is_null()).then(|| node["ended"].is_null())
}

/// How many rules of its own the group lists.
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
        .map(|one| one["IpRanges"].as_array().map_or(0, Vec::len));
    ranges.sum()
}

#[test]
fn events_follow_from_what_was_told_before_also_across_a_restart() {
    let account = Account::new();
    let airdig = account.start("{}");
    account.wait_for_scans();
    let everything = account.events(0);
    assert!(everything.iter().all(|event| event.starts_with("created ")));

    // Nothing happens: a scan is one row a scope.
    let quiet = account.lines();
    account.wait_for_scans();
    assert_eq!(account.events(quiet), [""; 0]);
    let rows = account.rows(quiet);
    assert_eq!(completions(&rows), rows.len());

    // Somebody opens a group, and makes a volume.
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
        is_there(&airdig, &volume_uid, Some(&closed)),
        None,
        "nothing was known of it"
    );
    assert_eq!(is_there(&airdig, &volume_uid, None), Some(true));

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
    assert_eq!(is_there(&airdig, &volume_uid, None), Some(false));
    assert_eq!(is_there(&airdig, &volume_uid, Some(&open)), Some(true));
    assert_eq!(permissions(&airdig, group, None), rules);
    assert_eq!(permissions(&airdig, group, Some(&open)), rules + 1);

    // Made anew: another volume, since ids are never used again.
    let again = account.lines();
    account.step("create_volume", &json!({"zone": "us-east-1a"}));
    account.wait_for_scans();
    assert_eq!(account.events(again).len(), 1);
    assert!(airdig.stop().success());
}

#[test]
fn what_may_not_be_seen_is_unknown_and_does_not_end() {
    let account = Account::new();
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
        "nothing is deleted because it could not be seen"
    );
    assert_eq!(is_there(&airdig, volume, None), Some(true));
    assert_eq!(
        is_there(&airdig, account.names.uid("volume/spare"), None),
        Some(true)
    );

    account.deny("");
    account.wait_for_scans();
    let spare = account.names.uid("volume/spare");
    assert_eq!(account.events(denied), [format!("deleted {spare}")]);
    assert_eq!(is_there(&airdig, spare, None), Some(false));
    assert_eq!(is_there(&airdig, volume, None), Some(true));
    assert!(airdig.stop().success());
}

#[test]
fn what_a_narrower_filter_leaves_out_is_unknown_and_does_not_end() {
    let account = Account::new();
    let airdig = account.start("{}");
    account.wait_for_scans();
    assert!(airdig.stop().success());
    let narrow = account.lines();
    let airdig = account.start("receivers: {aws: {tags: {include: {Name: web-*}}}}");
    account.wait_for_scans();
    assert_eq!(account.events(narrow), [""; 0]);
    for name in ["volume/web-1", "volume/spare", "sg/db"] {
        assert_eq!(
            is_there(&airdig, account.names.uid(name), None),
            Some(true),
            "{name}"
        );
    }
    assert!(airdig.stop().success());
}
