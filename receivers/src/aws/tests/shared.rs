//! What one account shares with another, where both are scanned.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pipeline::resource::Observed;
use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, Fake, Reply, Request, Told};

const OWNER: &str = "210987654321";

/// A VPC and a subnet that the owner shares for as long as it is said; in the subnet is an interface of
/// the participant, which the owner sees as well.
async fn shared(is_shared: Arc<AtomicBool>) -> Fake {
    Fake::new(move |request: &Request| {
        let is_seen = request["account"] == OWNER || is_shared.load(Ordering::Relaxed);
        let (set, item) = match request["Action"].as_str() {
            "DescribeVpcs" => (
                "vpcSet",
                format!("<vpcId>vpc-1</vpcId><ownerId>{OWNER}</ownerId>"),
            ),
            "DescribeSubnets" => (
                "subnetSet",
                format!("<subnetId>s-1</subnetId><vpcId>vpc-1</vpcId><ownerId>{OWNER}</ownerId>"),
            ),
            _ => (
                "networkInterfaceSet",
                format!(
                    "<networkInterfaceId>eni-1</networkInterfaceId><subnetId>s-1</subnetId>\
                     <ownerId>{ACCOUNT}</ownerId>"
                ),
            ),
        };
        let items = is_seen.then(|| format!("<item>{item}</item>"));
        Reply::Xml(format!("<{set}>{}</{set}>", items.unwrap_or_default()))
    })
    .await
}

fn settings(accounts: &Json) -> Json {
    let kinds = [
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::EC2::NetworkInterface",
    ];
    json!({"kinds": {"include": kinds}, "accounts": accounts})
}

fn both() -> Json {
    settings(&json!([{}, {"role_arn": format!("arn:aws:iam::{OWNER}:role/airdig")}]))
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

fn events(told: &Told) -> Vec<String> {
    let mut lines = told.lines();
    lines.retain(|line| !line.starts_with("complete"));
    lines
}

#[tokio::test]
async fn each_account_tells_what_is_its_own_and_whom_it_is_shared_with_refers_to_it() {
    let is_shared = Arc::new(AtomicBool::new(true));
    let fake = shared(is_shared.clone()).await;
    let scanner = fake.scanner(both()).await;
    let told = Told::default();
    let summary = scanner.scan(&told).await;
    assert_eq!(
        (summary.resources, summary.complete, summary.failed),
        (3, 6, 0)
    );
    let created = [
        "created network-interface/eni-1",
        "created subnet/s-1",
        "created vpc/vpc-1",
    ];
    assert_eq!(events(&told), created);
    let arn = |account, id| format!("arn:aws:ec2:us-east-1:{account}:{id}");
    let (interface, subnet) = (
        arn(ACCOUNT, "network-interface/eni-1"),
        arn(OWNER, "subnet/s-1"),
    );
    let expected = [
        format!("{interface} PART_OF {subnet}"),
        format!("{subnet} PART_OF {}", arn(OWNER, "vpc/vpc-1")),
    ];
    assert_eq!(edges(&told), expected.into());
    scanner.scan(&told).await;
    assert_eq!(events(&told), [""; 0], "nothing is new");

    is_shared.store(false, Ordering::Relaxed);
    scanner.scan(&told).await;
    // The interface is the participant's; to see it no more is its end, to see the subnet no more is not.
    assert_eq!(events(&told), ["deleted network-interface/eni-1"]);
}

#[tokio::test]
async fn what_an_account_is_shared_that_is_not_scanned_is_told_by_whom_it_is_shared_with() {
    let fake = shared(Arc::new(AtomicBool::new(true))).await;
    let scanner = fake.scanner(settings(&json!([]))).await;
    let told = Told::default();
    scanner.scan(&told).await;
    assert_eq!(events(&told).len(), 3);
    let known = Arc::into_inner(scanner).unwrap().known;

    // From now on the owner tells it.
    let scanner = fake.scanner_that_knows(both(), known).await;
    scanner.scan(&told).await;
    let events = events(&told);
    assert!(
        events.iter().all(|event| !event.starts_with("deleted")),
        "{events:?}"
    );
}
