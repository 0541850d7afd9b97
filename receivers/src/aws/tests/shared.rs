//! Resources that one account shares with others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use pipeline::resource::ResourceRow;
use pipeline::rows::Rows;
use pipeline::{Delivery, Signal};
use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, FakeAws, RecordingSink, Reply, Request};
use crate::aws::emit::Inventory;
use crate::aws::scan::Scanner;

const OWNER: &str = "210987654321";
const OTHER: &str = "333333333333";

/// The subnets of `OWNER` that each account sees. All are in one VPC.
type VisibleSubnets = Arc<Mutex<BTreeMap<&'static str, Vec<&'static str>>>>;

/// The subnet s-1 contains an interface of `ACCOUNT`, which `OWNER` sees, too.
async fn fake_with_shared_subnets(visible: &VisibleSubnets) -> FakeAws {
    let visible = visible.clone();
    FakeAws::new(move |request: &Request| {
        let account = request["account"].as_str();
        let subnets = visible
            .lock()
            .unwrap()
            .get(account)
            .cloned()
            .unwrap_or_default();
        let item = |item: &str| format!("<item>{item}</item>");
        match request["Action"].as_str() {
            "DescribeVpcs" => {
                let vpc = format!("<vpcId>vpc-1</vpcId><ownerId>{OWNER}</ownerId>");
                let vpcs = (!subnets.is_empty()).then(|| item(&vpc));
                Reply::Xml(format!("<vpcSet>{}</vpcSet>", vpcs.unwrap_or_default()))
            }
            "DescribeSubnets" => {
                let subnet = |id: &&str| {
                    item(&format!(
                        "<subnetId>{id}</subnetId><vpcId>vpc-1</vpcId><ownerId>{OWNER}</ownerId>"
                    ))
                };
                let subnets: String = subnets.iter().map(subnet).collect();
                // Late: if all kinds were listed concurrently, the interface would be listed before its subnet.
                Reply::Late(format!("<subnetSet>{subnets}</subnetSet>"))
            }
            _ => {
                let interface = format!(
                    "<networkInterfaceId>eni-1</networkInterfaceId><subnetId>s-1</subnetId>\
                     <ownerId>{ACCOUNT}</ownerId>"
                );
                let interfaces = (account != OTHER).then(|| item(&interface));
                let interfaces = interfaces.unwrap_or_default();
                Reply::Xml(format!(
                    "<networkInterfaceSet>{interfaces}</networkInterfaceSet>"
                ))
            }
        }
    })
    .await
}

fn visible_subnets(subnets: &[(&'static str, &[&'static str])]) -> VisibleSubnets {
    let subnets = subnets
        .iter()
        .map(|(account, ids)| (*account, ids.to_vec()));
    Arc::new(Mutex::new(subnets.collect()))
}

fn settings(accounts: &[&str]) -> Json {
    let account = |id: &&str| match *id {
        ACCOUNT => json!({}),
        id => json!({"role_arn": format!("arn:aws:iam::{id}:role/airdig")}),
    };
    let kinds = [
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::EC2::NetworkInterface",
    ];
    let accounts: Vec<Json> = accounts.iter().map(account).collect();
    json!({"kinds": {"include": kinds}, "accounts": accounts})
}

/// The scanner of a new process with these accounts, which reads the earlier reports from the store.
async fn restart(fake: &FakeAws, sink: &RecordingSink, accounts: &[&str]) -> Arc<Scanner> {
    let inventory = Inventory::load(sink.graph.store.as_ref(), "aws")
        .await
        .unwrap();
    fake.scanner_with_inventory(settings(accounts), inventory)
        .await
}

fn arn(account: &str, id: &str) -> String {
    format!("arn:aws:ec2:us-east-1:{account}:{id}")
}

/// All edges in the rows, as `uid KIND uid`.
fn edges(sink: &RecordingSink) -> BTreeSet<String> {
    let batches = sink.batches.lock().unwrap();
    let rows = batches.iter().flat_map(ResourceRow::all);
    let edges = rows.flat_map(|row| {
        let relations = row.relations.into_iter().flat_map(|it| it.relations());
        relations.map(move |(kind, to, ..)| format!("{} {kind} {to}", row.uid.unwrap()))
    });
    edges.collect()
}

/// Scans once, and returns the rows except the completions.
async fn events(scanner: &Scanner, sink: &RecordingSink) -> Vec<String> {
    let summary = scanner.scan(sink).await;
    assert_eq!(summary.failed, 0);
    let mut lines = sink.lines();
    lines.retain(|line| !line.starts_with("complete"));
    lines
}

/// Refreshes one of the owner's resources, and returns the rows.
async fn refresh(scanner: &Scanner, sink: &RecordingSink, id: &str) -> Vec<String> {
    let mut rows = Rows::new(Signal::RefreshRequests);
    rows.push(None, Some(&arn(OWNER, id)), "test", &[]);
    let requests = rows.finish(Delivery::untracked());
    scanner.refresh(&requests, sink).await;
    sink.lines()
}

const NOTHING: [&str; 0] = [];
const ALL_CREATED: [&str; 3] = [
    "created network-interface/eni-1",
    "created subnet/s-1",
    "created vpc/vpc-1",
];

#[tokio::test]
async fn account_reports_its_own_resources_and_references_shared_ones_by_the_owners_arn() {
    for concurrency in [1, 8] {
        let visible = visible_subnets(&[(ACCOUNT, &["s-1"]), (OWNER, &["s-1"])]);
        let fake = fake_with_shared_subnets(&visible).await;
        let accounts = [ACCOUNT, OWNER];
        let mut both = settings(&accounts);
        both["concurrency"] = concurrency.into();
        let scanner = fake.scanner(both).await;
        let sink = RecordingSink::default();
        assert_eq!(events(&scanner, &sink).await, ALL_CREATED);
        let (vpc, subnet) = (arn(OWNER, "vpc/vpc-1"), arn(OWNER, "subnet/s-1"));
        let interface = arn(ACCOUNT, "network-interface/eni-1");
        let expected = [
            format!("{interface} PART_OF {subnet}"),
            format!("{subnet} PART_OF {vpc}"),
        ];
        assert_eq!(edges(&sink), expected.into());
        assert_eq!(events(&scanner, &sink).await, NOTHING);

        // The subnet is no longer shared, and the interface is still in it.
        visible.lock().unwrap().remove(ACCOUNT);
        assert_eq!(events(&scanner, &sink).await, NOTHING);
        let scanner = restart(&fake, &sink, &accounts).await;
        assert_eq!(events(&scanner, &sink).await, NOTHING);
        assert_eq!(sink.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
    }
}

#[tokio::test]
async fn resource_of_an_owner_that_is_not_scanned_is_reported_once_for_all_viewers() {
    let visible = visible_subnets(&[(ACCOUNT, &["s-1", "s-2"]), (OTHER, &["s-1", "s-3"])]);
    let fake = fake_with_shared_subnets(&visible).await;
    let accounts = [ACCOUNT, OTHER];
    let scanner = fake.scanner(settings(&accounts)).await;
    let sink = RecordingSink::default();
    let created = events(&scanner, &sink).await;
    let subnets = ["s-1", "s-2", "s-3"].map(|id| format!("created subnet/{id}"));
    assert_eq!(created[1..4], subnets);
    assert_eq!(created.len(), 5);
    let to = format!(" PART_OF {}", arn(OWNER, "subnet/s-1"));
    assert!(edges(&sink).iter().any(|edge| edge.ends_with(&to)));
    assert_eq!(events(&scanner, &sink).await, NOTHING);
    let scanner = restart(&fake, &sink, &accounts).await;
    assert_eq!(events(&scanner, &sink).await, NOTHING);

    assert_eq!(
        refresh(&scanner, &sink, "subnet/s-1").await,
        ["observed subnet/s-1"]
    );
    // One of two accounts no longer sees s-1.
    visible.lock().unwrap().insert(ACCOUNT, vec!["s-2"]);
    let without_one_alias = ["updated subnet/s-1"];
    assert_eq!(events(&scanner, &sink).await, without_one_alias);
    assert_eq!(
        refresh(&scanner, &sink, "subnet/s-1").await,
        ["observed subnet/s-1"]
    );
    assert_eq!(
        sink.graph.existing().await,
        ["eni-1", "s-1", "s-2", "s-3", "vpc-1"]
    );
    // Neither account sees s-1.
    visible.lock().unwrap().insert(OTHER, vec!["s-3"]);
    assert_eq!(
        refresh(&scanner, &sink, "subnet/s-1").await,
        ["deleted subnet/s-1"]
    );
    assert_eq!(events(&scanner, &sink).await, NOTHING);
    visible.lock().unwrap().clear();
    let ended = ["s-2", "s-3"].map(|id| format!("deleted subnet/{id}"));
    assert_eq!(events(&scanner, &sink).await[..2], ended);
    assert_eq!(sink.graph.existing().await, ["eni-1"]);
    assert_eq!(events(&scanner, &sink).await, NOTHING);
}

#[tokio::test]
async fn account_that_is_removed_or_fails_deletes_nothing() {
    let visible = visible_subnets(&[(ACCOUNT, &["s-1"]), (OTHER, &["s-1", "s-3"])]);
    let fake = fake_with_shared_subnets(&visible).await;
    let scanner = fake.scanner(settings(&[ACCOUNT, OTHER])).await;
    let sink = RecordingSink::default();
    events(&scanner, &sink).await;
    let all = ["eni-1", "s-1", "s-3", "vpc-1"];
    assert_eq!(sink.graph.existing().await, all);
    let scanner = restart(&fake, &sink, &[ACCOUNT]).await;
    let lines = events(&scanner, &sink).await;
    assert!(
        lines.iter().all(|line| !line.starts_with("deleted")),
        "{lines:?}"
    );
    assert_eq!(refresh(&scanner, &sink, "subnet/s-3").await, NOTHING);
    assert_eq!(sink.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
    assert_eq!(sink.graph.unobserved().await, ["s-3"]);

    let scanner = restart(&fake, &sink, &[ACCOUNT, OTHER]).await;
    events(&scanner, &sink).await;
    assert_eq!(sink.graph.existing().await, all);
    *fake.refused.lock().unwrap() = Some(OTHER);
    let scanner = restart(&fake, &sink, &[ACCOUNT, OTHER]).await;
    let summary = scanner.scan(&sink).await;
    assert_eq!(summary.failed, 1, "its role cannot be assumed");
    let lines = sink.lines();
    assert!(
        lines.iter().all(|line| line.starts_with("complete")),
        "{lines:?}"
    );
    assert_eq!(refresh(&scanner, &sink, "subnet/s-3").await, NOTHING);
    // Whether s-3, which only this account sees, exists is unknown.
    assert_eq!(sink.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
    assert_eq!(sink.graph.unobserved().await, ["s-3"]);
    *fake.refused.lock().unwrap() = None;
    let seen_again = scanner.scan(&sink).await;
    assert_eq!(seen_again.failed, 0);
    let lines = sink.lines();
    assert!(
        lines.contains(&"observed subnet/s-3".to_owned()),
        "it is not created again: {lines:?}"
    );
    assert_eq!(sink.graph.existing().await, all);
}

#[tokio::test]
async fn added_owner_takes_over_its_resources_and_deletes_those_that_no_longer_exist() {
    let visible = visible_subnets(&[(ACCOUNT, &["s-1", "s-2"]), (OWNER, &["s-1"])]);
    let fake = fake_with_shared_subnets(&visible).await;
    let scanner = fake.scanner(settings(&[ACCOUNT])).await;
    let sink = RecordingSink::default();
    events(&scanner, &sink).await;
    assert_eq!(
        sink.graph.existing().await,
        ["eni-1", "s-1", "s-2", "vpc-1"]
    );

    visible.lock().unwrap().insert(ACCOUNT, vec!["s-1"]);
    let scanner = restart(&fake, &sink, &[ACCOUNT, OWNER]).await;
    // The owner's view has no alias in another account.
    let updated = ["updated subnet/s-1", "updated vpc/vpc-1"];
    let events_then = events(&scanner, &sink).await;
    assert_eq!(events_then[0], "deleted subnet/s-2");
    assert_eq!(events_then[1..], updated);
    assert_eq!(events(&scanner, &sink).await, NOTHING);
    assert_eq!(sink.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);

    // The owner's scan fails: the state of its resources is unknown, and no other account reports them.
    *fake.refused.lock().unwrap() = Some(OWNER);
    let scanner = restart(&fake, &sink, &[ACCOUNT, OWNER]).await;
    scanner.scan(&sink).await;
    let lines = sink.lines();
    assert!(
        lines.iter().all(|line| line.starts_with("complete")),
        "{lines:?}"
    );

    let scanner = restart(&fake, &sink, &[ACCOUNT]).await;
    assert_eq!(
        events(&scanner, &sink).await,
        updated,
        "the owner is no longer scanned"
    );
    assert_eq!(events(&scanner, &sink).await, NOTHING);
    assert_eq!(sink.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
}

#[tokio::test]
async fn viewers_report_the_resources_of_a_configured_owner_that_was_never_scanned() {
    let fake = fake_with_shared_subnets(&visible_subnets(&[(ACCOUNT, &["s-1"])])).await;
    *fake.refused.lock().unwrap() = Some(OWNER);
    let scanner = fake.scanner(settings(&[ACCOUNT, OWNER])).await;
    let sink = RecordingSink::default();
    assert_eq!(scanner.scan(&sink).await.failed, 1);
    let lines = sink.lines();
    assert!(
        ALL_CREATED
            .iter()
            .all(|line| lines.iter().any(|written| written == line)),
        "{lines:?}"
    );
}

#[tokio::test]
async fn owners_of_subnets_are_known_after_a_restart_even_if_listing_subnets_fails() {
    let is_failing = Arc::new(Mutex::new(false));
    let failing = is_failing.clone();
    let fake = FakeAws::new(move |request: &Request| {
        let item = match request["Action"].as_str() {
            "DescribeNetworkInterfaces" => {
                "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId>\
                 <subnetId>s-1</subnetId></item></networkInterfaceSet>"
                    .to_owned()
            }
            _ if *failing.lock().unwrap() => return Reply::Error(403, "UnauthorizedOperation"),
            "DescribeVpcs" => "<vpcSet></vpcSet>".to_owned(),
            _ => format!(
                "<subnetSet><item><subnetId>s-1</subnetId><ownerId>{OWNER}</ownerId></item></subnetSet>"
            ),
        };
        Reply::Xml(item)
    })
    .await;
    let sink = RecordingSink::default();
    let scanner = fake.scanner(settings(&[ACCOUNT])).await;
    events(&scanner, &sink).await;
    *is_failing.lock().unwrap() = true;
    let scanner = restart(&fake, &sink, &[ACCOUNT]).await;
    let summary = scanner.scan(&sink).await;
    assert_eq!((summary.complete, summary.failed), (1, 2));
    assert_eq!(sink.lines(), ["complete AWS::EC2::NetworkInterface 1"]);
    let to = format!(" PART_OF {}", arn(OWNER, "subnet/s-1"));
    let edges = edges(&sink);
    assert!(edges.iter().all(|edge| edge.ends_with(&to)), "{edges:?}");
}
