//! What one account shares with others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use pipeline::resource::Observed;
use pipeline::rows::Rows;
use pipeline::{Delivery, Signal};
use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, Fake, Reply, Request, Told};
use crate::aws::known::Known;
use crate::aws::scanner::Scanner;

const OWNER: &str = "210987654321";
const OTHER: &str = "333333333333";

/// Which subnets an account sees of those that the owner shares; all are in one VPC.
type Seen = Arc<Mutex<BTreeMap<&'static str, Vec<&'static str>>>>;

/// In the first subnet is an interface of `ACCOUNT`, which the owner sees as well.
async fn shared(seen: &Seen) -> Fake {
    let seen = seen.clone();
    Fake::new(move |request: &Request| {
        let account = request["account"].as_str();
        let subnets = seen
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
                // What refers to a subnet would be known before it, were all asked at once.
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

fn by(subnets: &[(&'static str, &[&'static str])]) -> Seen {
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

/// A new process with these accounts, which knows by the store what was told.
async fn again(fake: &Fake, told: &Told, accounts: &[&str]) -> Arc<Scanner> {
    let known = Known::read(told.graph.store.as_ref(), "aws").await.unwrap();
    fake.scanner_that_knows(settings(accounts), known).await
}

fn arn(account: &str, id: &str) -> String {
    format!("arn:aws:ec2:us-east-1:{account}:{id}")
}

/// `uid KIND uid` of all that was told.
fn edges(told: &Told) -> BTreeSet<String> {
    let batches = told.batches.lock().unwrap();
    let rows = batches.iter().flat_map(Observed::of);
    let edges = rows.flat_map(|row| {
        let relations = row.relations.into_iter().flat_map(|it| it.relations());
        relations.map(move |(kind, to, ..)| format!("{} {kind} {to}", row.uid.unwrap()))
    });
    edges.collect()
}

/// What a scan tells, but for its completions.
async fn events(scanner: &Scanner, told: &Told) -> Vec<String> {
    let summary = scanner.scan(told).await;
    assert_eq!(summary.failed, 0);
    let mut lines = told.lines();
    lines.retain(|line| !line.starts_with("complete"));
    lines
}

/// What is told when one of the owner's things is asked for.
async fn refresh(scanner: &Scanner, told: &Told, id: &str) -> Vec<String> {
    let mut rows = Rows::new(Signal::RefreshRequests);
    rows.push(None, Some(&arn(OWNER, id)), "test", &[]);
    let requests = rows.finish(Delivery::nobody());
    scanner.refresh(&requests, told).await;
    told.lines()
}

const NOTHING: [&str; 0] = [];
const ALL_CREATED: [&str; 3] = [
    "created network-interface/eni-1",
    "created subnet/s-1",
    "created vpc/vpc-1",
];

#[tokio::test]
async fn each_account_tells_what_is_its_own_and_whom_it_is_shared_with_refers_to_it() {
    for concurrency in [1, 8] {
        let seen = by(&[(ACCOUNT, &["s-1"]), (OWNER, &["s-1"])]);
        let fake = shared(&seen).await;
        let accounts = [ACCOUNT, OWNER];
        let mut both = settings(&accounts);
        both["concurrency"] = concurrency.into();
        let scanner = fake.scanner(both).await;
        let told = Told::default();
        assert_eq!(events(&scanner, &told).await, ALL_CREATED);
        let (vpc, subnet) = (arn(OWNER, "vpc/vpc-1"), arn(OWNER, "subnet/s-1"));
        let interface = arn(ACCOUNT, "network-interface/eni-1");
        let expected = [
            format!("{interface} PART_OF {subnet}"),
            format!("{subnet} PART_OF {vpc}"),
        ];
        assert_eq!(edges(&told), expected.into());
        assert_eq!(events(&scanner, &told).await, NOTHING);

        // The interface stays in the subnet, whose share is over.
        seen.lock().unwrap().remove(ACCOUNT);
        assert_eq!(events(&scanner, &told).await, NOTHING);
        let scanner = again(&fake, &told, &accounts).await;
        assert_eq!(events(&scanner, &told).await, NOTHING);
        assert_eq!(told.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
    }
}

#[tokio::test]
async fn what_is_shared_by_an_account_that_is_not_scanned_is_told_once_for_all_who_see_it() {
    let seen = by(&[(ACCOUNT, &["s-1", "s-2"]), (OTHER, &["s-1", "s-3"])]);
    let fake = shared(&seen).await;
    let accounts = [ACCOUNT, OTHER];
    let scanner = fake.scanner(settings(&accounts)).await;
    let told = Told::default();
    let created = events(&scanner, &told).await;
    let subnets = ["s-1", "s-2", "s-3"].map(|id| format!("created subnet/{id}"));
    assert_eq!(created[1..4], subnets);
    assert_eq!(created.len(), 5);
    let to = format!(" PART_OF {}", arn(OWNER, "subnet/s-1"));
    assert!(edges(&told).iter().any(|edge| edge.ends_with(&to)));
    assert_eq!(events(&scanner, &told).await, NOTHING);
    let scanner = again(&fake, &told, &accounts).await;
    assert_eq!(events(&scanner, &told).await, NOTHING);

    assert_eq!(
        refresh(&scanner, &told, "subnet/s-1").await,
        ["observed subnet/s-1"]
    );
    // Of one share of two.
    seen.lock().unwrap().insert(ACCOUNT, vec!["s-2"]);
    let name_of_one = ["updated subnet/s-1"];
    assert_eq!(events(&scanner, &told).await, name_of_one);
    assert_eq!(
        refresh(&scanner, &told, "subnet/s-1").await,
        ["observed subnet/s-1"]
    );
    assert_eq!(
        told.graph.existing().await,
        ["eni-1", "s-1", "s-2", "s-3", "vpc-1"]
    );
    // Of both.
    seen.lock().unwrap().insert(OTHER, vec!["s-3"]);
    assert_eq!(
        refresh(&scanner, &told, "subnet/s-1").await,
        ["deleted subnet/s-1"]
    );
    assert_eq!(events(&scanner, &told).await, NOTHING);
    seen.lock().unwrap().clear();
    let ended = ["s-2", "s-3"].map(|id| format!("deleted subnet/{id}"));
    assert_eq!(events(&scanner, &told).await[..2], ended);
    assert_eq!(told.graph.existing().await, ["eni-1"]);
    assert_eq!(events(&scanner, &told).await, NOTHING);
}

#[tokio::test]
async fn who_is_scanned_no_more_or_cannot_be_reached_ends_nothing() {
    let seen = by(&[(ACCOUNT, &["s-1"]), (OTHER, &["s-1", "s-3"])]);
    let fake = shared(&seen).await;
    let scanner = fake.scanner(settings(&[ACCOUNT, OTHER])).await;
    let told = Told::default();
    events(&scanner, &told).await;
    let all = ["eni-1", "s-1", "s-3", "vpc-1"];
    assert_eq!(told.graph.existing().await, all);
    let scanner = again(&fake, &told, &[ACCOUNT]).await;
    let lines = events(&scanner, &told).await;
    assert!(
        lines.iter().all(|line| !line.starts_with("deleted")),
        "{lines:?}"
    );
    assert_eq!(refresh(&scanner, &told, "subnet/s-3").await, NOTHING);
    assert_eq!(told.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
    assert_eq!(told.graph.unobserved().await, ["s-3"]);

    let scanner = again(&fake, &told, &[ACCOUNT, OTHER]).await;
    events(&scanner, &told).await;
    assert_eq!(told.graph.existing().await, all);
    *fake.refused.lock().unwrap() = Some(OTHER);
    let scanner = again(&fake, &told, &[ACCOUNT, OTHER]).await;
    let summary = scanner.scan(&told).await;
    assert_eq!(summary.failed, 1, "its role may not be assumed");
    let lines = told.lines();
    assert!(
        lines.iter().all(|line| line.starts_with("complete")),
        "{lines:?}"
    );
    assert_eq!(refresh(&scanner, &told, "subnet/s-3").await, NOTHING);
    // Of what only it sees it is not known whether it exists.
    assert_eq!(told.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
    assert_eq!(told.graph.unobserved().await, ["s-3"]);
    *fake.refused.lock().unwrap() = None;
    let seen_again = scanner.scan(&told).await;
    assert_eq!(seen_again.failed, 0);
    let lines = told.lines();
    assert!(
        lines.contains(&"observed subnet/s-3".to_owned()),
        "it is not new: {lines:?}"
    );
    assert_eq!(told.graph.existing().await, all);
}

#[tokio::test]
async fn an_owner_that_is_scanned_from_now_on_takes_over_and_ends_what_is_gone() {
    let seen = by(&[(ACCOUNT, &["s-1", "s-2"]), (OWNER, &["s-1"])]);
    let fake = shared(&seen).await;
    let scanner = fake.scanner(settings(&[ACCOUNT])).await;
    let told = Told::default();
    events(&scanner, &told).await;
    assert_eq!(
        told.graph.existing().await,
        ["eni-1", "s-1", "s-2", "vpc-1"]
    );

    seen.lock().unwrap().insert(ACCOUNT, vec!["s-1"]);
    let scanner = again(&fake, &told, &[ACCOUNT, OWNER]).await;
    // The owner knows no other name for what is its own.
    let updated = ["updated subnet/s-1", "updated vpc/vpc-1"];
    let events_then = events(&scanner, &told).await;
    assert_eq!(events_then[0], "deleted subnet/s-2");
    assert_eq!(events_then[1..], updated);
    assert_eq!(events(&scanner, &told).await, NOTHING);
    assert_eq!(told.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);

    // It cannot be reached: what it told is unknown, and nobody else tells it.
    *fake.refused.lock().unwrap() = Some(OWNER);
    let scanner = again(&fake, &told, &[ACCOUNT, OWNER]).await;
    scanner.scan(&told).await;
    let lines = told.lines();
    assert!(
        lines.iter().all(|line| line.starts_with("complete")),
        "{lines:?}"
    );

    let scanner = again(&fake, &told, &[ACCOUNT]).await;
    assert_eq!(
        events(&scanner, &told).await,
        updated,
        "it is scanned no more"
    );
    assert_eq!(events(&scanner, &told).await, NOTHING);
    assert_eq!(told.graph.existing().await, ["eni-1", "s-1", "vpc-1"]);
}

#[tokio::test]
async fn an_owner_that_never_could_be_scanned_leaves_it_to_whom_it_shares_with() {
    let fake = shared(&by(&[(ACCOUNT, &["s-1"])])).await;
    *fake.refused.lock().unwrap() = Some(OWNER);
    let scanner = fake.scanner(settings(&[ACCOUNT, OWNER])).await;
    let told = Told::default();
    assert_eq!(scanner.scan(&told).await.failed, 1);
    let lines = told.lines();
    assert!(
        ALL_CREATED
            .iter()
            .all(|line| lines.iter().any(|told| told == line)),
        "{lines:?}"
    );
}

#[tokio::test]
async fn whose_things_are_is_known_though_the_first_scan_of_them_fails() {
    let is_failing = Arc::new(Mutex::new(false));
    let failing = is_failing.clone();
    let fake = Fake::new(move |request: &Request| {
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
    let told = Told::default();
    let scanner = fake.scanner(settings(&[ACCOUNT])).await;
    events(&scanner, &told).await;
    *is_failing.lock().unwrap() = true;
    let scanner = again(&fake, &told, &[ACCOUNT]).await;
    let summary = scanner.scan(&told).await;
    assert_eq!((summary.complete, summary.failed), (1, 2));
    assert_eq!(told.lines(), ["complete AWS::EC2::NetworkInterface 1"]);
    let to = format!(" PART_OF {}", arn(OWNER, "subnet/s-1"));
    let edges = edges(&told);
    assert!(edges.iter().all(|edge| edge.ends_with(&to)), "{edges:?}");
}
