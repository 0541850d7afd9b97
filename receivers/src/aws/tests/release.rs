//! After a change of the configuration or a filter, resources are released and not deleted.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::fake::{FakeAws, RecordingSink, Reply, Request, vpcs};
use crate::aws::emit::Inventory;
use crate::aws::scan::Scanner;

const ELSEWHERE: &str = "210987654321";

/// Each account has a VPC and two subnets in each region. The subnets have names after the account, and one has a tag.
async fn account() -> FakeAws {
    FakeAws::new(|request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&["vpc-1"]),
        _ => {
            let account = request["account"].as_str();
            let tagged = "<tagSet><item><key>env</key><value>prod</value></item></tagSet>";
            Reply::Xml(format!(
                "<subnetSet><item><subnetId>{account}-a</subnetId>{tagged}</item>\
                 <item><subnetId>{account}-b</subnetId></item></subnetSet>"
            ))
        }
    })
    .await
}

/// The scanner of a new process, which reads the reports of earlier processes from the store.
async fn restart(fake: &FakeAws, sink: &RecordingSink, settings: Json) -> Arc<Scanner> {
    let store = sink.graph.store.as_ref();
    let inventory = Inventory::load(store, "aws").await.unwrap();
    fake.scanner_with_inventory(settings, inventory).await
}

fn accounts() -> Json {
    json!([{}, {"role_arn": format!("arn:aws:iam::{ELSEWHERE}:role/airdig")}])
}

const A: &str = "123456789012-a";
const B: &str = "123456789012-b";

#[tokio::test]
async fn resources_of_a_removed_kind_region_or_account_are_released_and_not_deleted() {
    let fake = account().await;
    let elsewhere = ["210987654321-a", "210987654321-b"];
    for (wide, narrow, released, scopes) in [
        (
            json!({}),
            json!({"kinds": {"include": ["AWS::EC2::VPC"]}}),
            vec![A, B],
            1,
        ),
        (
            json!({"regions": ["us-east-1", "eu-west-1"]}),
            json!({"regions": ["us-east-1"]}),
            vec![A, B, "vpc-1"],
            2,
        ),
        (
            json!({"accounts": accounts()}),
            json!({}),
            vec![elsewhere[0], elsewhere[1], "vpc-1"],
            2,
        ),
    ] {
        let sink = RecordingSink::default();
        fake.scanner(wide.clone()).await.scan(&sink).await;
        assert!(sink.graph.unobserved().await.is_empty());
        let scanner = restart(&fake, &sink, narrow).await;
        for _ in 0..2 {
            scanner.scan(&sink).await;
            assert_eq!(sink.graph.unobserved().await, released);
            assert_eq!(sink.graph.ended().await, [""; 0]);
        }
        let lines = sink.lines();
        let is_release = |line: &&String| line.starts_with("complete in part");
        let releases = lines.iter().filter(is_release).count();
        assert_eq!(releases, scopes, "each scope is released once: {lines:?}");

        // With the first configuration, all scopes are scanned again.
        let scanner = restart(&fake, &sink, wide).await;
        scanner.scan(&sink).await;
        assert!(sink.graph.unobserved().await.is_empty());
        assert!(sink.graph.ended().await.is_empty());
    }
}

#[tokio::test]
async fn changed_filter_releases_what_only_the_previous_filter_selects() {
    let fake = account().await;
    let prod = json!({"tags": {"include": {"env": "prod"}}});
    let rest = json!({"tags": {"exclude": {"env": "prod"}}});
    let sink = RecordingSink::default();
    fake.scanner(json!({})).await.scan(&sink).await;
    for (settings, existing, released) in [
        (prod.clone(), vec![A], vec![B, "vpc-1"]),
        (rest, vec![B, "vpc-1"], vec![A]),
        (json!({}), vec![A, B, "vpc-1"], vec![]),
        (prod, vec![A], vec![B, "vpc-1"]),
    ] {
        let scanner = restart(&fake, &sink, settings).await;
        for _ in 0..2 {
            scanner.scan(&sink).await;
            assert_eq!(sink.graph.existing().await, existing);
            assert_eq!(sink.graph.unobserved().await, released);
        }
    }
    let lines = sink.lines();
    let deleted = lines.iter().filter(|line| line.starts_with("deleted"));
    assert_eq!(deleted.count(), 0, "{lines:?}");
}

#[tokio::test]
async fn scan_with_a_filter_deletes_unlisted_resources_and_releases_excluded_ones() {
    let scan = Arc::new(std::sync::Mutex::new(0));
    let scans = scan.clone();
    let fake = FakeAws::new(move |request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&[]),
        _ => {
            let subnet = |id: &str, env: &str| {
                format!(
                    "<item><subnetId>{id}</subnetId><tagSet><item><key>env</key>\
                     <value>{env}</value></item></tagSet></item>"
                )
            };
            let subnets = match *scans.lock().unwrap() {
                0 => [subnet("s-1", "prod"), subnet("s-2", "prod")],
                // The filter excludes s-1 now, and s-2 no longer exists.
                1 => [subnet("s-1", "dev"), String::new()],
                _ => [subnet("s-1", "prod"), String::new()],
            };
            Reply::Xml(format!("<subnetSet>{}</subnetSet>", subnets.concat()))
        }
    })
    .await;
    let settings = json!({"tags": {"include": {"env": "prod"}}});
    let scanner = fake.scanner(settings).await;
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    sink.lines();
    *scan.lock().unwrap() = 1;
    scanner.scan(&sink).await;
    assert!(sink.lines().contains(&"deleted subnet/s-2".to_owned()));
    assert_eq!(sink.graph.ended().await, ["s-2"]);
    assert_eq!(sink.graph.unobserved().await, ["s-1"]);
    *scan.lock().unwrap() = 2;
    scanner.scan(&sink).await;
    let lines = sink.lines();
    assert!(
        lines.contains(&"updated subnet/s-1".to_owned())
            || lines.contains(&"observed subnet/s-1".to_owned()),
        "it was not created: {lines:?}"
    );
    assert_eq!(sink.graph.existing().await, ["s-1"]);
}
