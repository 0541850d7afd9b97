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

/// Which accounts see what the owner shares, a VPC and a subnet.
type Seen = Arc<Mutex<BTreeSet<&'static str>>>;

/// In the subnet is an interface of `ACCOUNT`, which the owner sees as well.
async fn shared(seen: &Seen) -> Fake {
    let seen = seen.clone();
    Fake::new(move |request: &Request| {
        let account = request["account"].as_str();
        let is_seen = account == OWNER || seen.lock().unwrap().contains(account);
        let (set, is_seen, item) = match request["Action"].as_str() {
            "DescribeVpcs" => (
                "vpcSet",
                is_seen,
                format!("<vpcId>vpc-1</vpcId><ownerId>{OWNER}</ownerId>"),
            ),
            "DescribeSubnets" => (
                "subnetSet",
                is_seen,
                format!("<subnetId>s-1</subnetId><vpcId>vpc-1</vpcId><ownerId>{OWNER}</ownerId>"),
            ),
            _ => (
                "networkInterfaceSet",
                account != OTHER,
                format!(
                    "<networkInterfaceId>eni-1</networkInterfaceId><subnetId>s-1</subnetId>\
                     <ownerId>{ACCOUNT}</ownerId>"
                ),
            ),
        };
        let items = is_seen.then(|| format!("<item>{item}</item>"));
        let body = format!("<{set}>{}</{set}>", items.unwrap_or_default());
        // What refers to the subnet is known before the subnet, were it asked at once.
        match set {
            "subnetSet" => Reply::Late(body),
            _ => Reply::Xml(body),
        }
    })
    .await
}

fn by(accounts: &[&'static str]) -> Seen {
    Arc::new(Mutex::new(accounts.iter().copied().collect()))
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
    let mut last = BTreeMap::new();
    for row in told.batches.lock().unwrap().iter().flat_map(Observed::of) {
        let Some(uid) = row.uid else { continue };
        last.insert(
            uid.to_owned(),
            row.state
                .map(|state| (row.scope.unwrap().to_owned(), state)),
        );
    }
    let known = Known::default();
    for (uid, told) in last {
        if let Some((scope, state)) = told {
            known.recall(&uid, &scope, state);
        }
    }
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

const NOTHING: [&str; 0] = [];
const ALL_CREATED: [&str; 3] = [
    "created network-interface/eni-1",
    "created subnet/s-1",
    "created vpc/vpc-1",
];

#[tokio::test]
async fn each_account_tells_what_is_its_own_and_whom_it_is_shared_with_refers_to_it() {
    for concurrency in [1, 8] {
        let seen = by(&[ACCOUNT]);
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
        seen.lock().unwrap().clear();
        assert_eq!(events(&scanner, &told).await, NOTHING);
        let scanner = again(&fake, &told, &accounts).await;
        assert_eq!(events(&scanner, &told).await, NOTHING);
    }
}

#[tokio::test]
async fn what_is_shared_by_an_account_that_is_not_scanned_is_told_by_one_that_sees_it() {
    let seen = by(&[ACCOUNT, OTHER]);
    let fake = shared(&seen).await;
    let scanner = fake.scanner(settings(&[ACCOUNT])).await;
    let told = Told::default();
    assert_eq!(events(&scanner, &told).await, ALL_CREATED);
    let to = format!(" PART_OF {}", arn(OWNER, "subnet/s-1"));
    assert!(edges(&told).iter().any(|edge| edge.ends_with(&to)));

    let scanner = again(&fake, &told, &[ACCOUNT, OTHER]).await;
    assert_eq!(events(&scanner, &told).await, NOTHING, "one tells it");
    let mut rows = Rows::new(Signal::RefreshRequests);
    rows.push(None, Some(&arn(OWNER, "subnet/s-1")), "test", &[]);
    scanner
        .refresh(&rows.finish(Delivery::nobody()), &told)
        .await;
    assert_eq!(told.lines(), ["observed subnet/s-1"]);

    seen.lock().unwrap().remove(ACCOUNT);
    let ended = ["deleted subnet/s-1", "deleted vpc/vpc-1"];
    let moved = events(&scanner, &told).await;
    assert!(
        ended
            .iter()
            .all(|line| moved.iter().any(|told| told == line))
    );
    events(&scanner, &told).await;
    assert_eq!(events(&scanner, &told).await, NOTHING, "the other tells it");
    seen.lock().unwrap().clear();
    assert_eq!(events(&scanner, &told).await, ended);
    assert_eq!(events(&scanner, &told).await, NOTHING, "and that once");
}

#[tokio::test]
async fn an_owner_that_is_scanned_from_now_on_takes_over_and_nothing_ends() {
    let fake = shared(&by(&[ACCOUNT])).await;
    let scanner = fake.scanner(settings(&[ACCOUNT])).await;
    let told = Told::default();
    events(&scanner, &told).await;

    let scanner = again(&fake, &told, &[ACCOUNT, OWNER]).await;
    // It knows more of what is its own.
    let updated = ["updated subnet/s-1", "updated vpc/vpc-1"];
    assert_eq!(events(&scanner, &told).await, updated);
    assert_eq!(events(&scanner, &told).await, NOTHING);

    let scanner = again(&fake, &told, &[ACCOUNT]).await;
    assert_eq!(events(&scanner, &told).await, updated, "and back");
    assert_eq!(events(&scanner, &told).await, NOTHING);
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
