//! What a configuration does not scan any more is released and has not ended.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::fake::{Fake, Reply, Request, Told, vpcs};
use crate::aws::known::Known;
use crate::aws::scanner::Scanner;

const ELSEWHERE: &str = "210987654321";

/// In each region and account a VPC and two subnets, of which one has a tag; named by the account.
async fn account() -> Fake {
    Fake::new(|request: &Request| match request["Action"].as_str() {
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

/// A new process, which knows from the store what the one before scanned.
async fn again(fake: &Fake, told: &Told, settings: Json) -> Arc<Scanner> {
    let store = told.graph.store.as_ref();
    let known = Known::read(store, "aws").await.unwrap();
    fake.scanner_that_knows(settings, known).await
}

fn accounts() -> Json {
    json!([{}, {"role_arn": format!("arn:aws:iam::{ELSEWHERE}:role/airdig")}])
}

const A: &str = "123456789012-a";
const B: &str = "123456789012-b";

#[tokio::test]
async fn kinds_regions_and_accounts_that_are_left_are_released_and_have_not_ended() {
    let fake = account().await;
    let elsewhere = ["210987654321-a", "210987654321-b"];
    for (wide, narrow, left, scopes) in [
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
        let told = Told::default();
        fake.scanner(wide.clone()).await.scan(&told).await;
        assert!(told.graph.unobserved().await.is_empty());
        let scanner = again(&fake, &told, narrow).await;
        for _ in 0..2 {
            scanner.scan(&told).await;
            assert_eq!(told.graph.unobserved().await, left);
            assert_eq!(told.graph.ended().await, [""; 0]);
        }
        let lines = told.lines();
        let released = |line: &&String| line.starts_with("complete in part");
        let released = lines.iter().filter(released).count();
        assert_eq!(released, scopes, "each scope once: {lines:?}");

        // It is scanned again: nothing is new.
        let scanner = again(&fake, &told, wide).await;
        scanner.scan(&told).await;
        assert!(told.graph.unobserved().await.is_empty());
        assert!(told.graph.ended().await.is_empty());
    }
}

#[tokio::test]
async fn a_filter_that_was_changed_releases_what_only_the_other_one_takes() {
    let fake = account().await;
    let prod = json!({"tags": {"include": {"env": "prod"}}});
    let rest = json!({"tags": {"exclude": {"env": "prod"}}});
    let told = Told::default();
    fake.scanner(json!({})).await.scan(&told).await;
    for (settings, existing, left) in [
        (prod.clone(), vec![A], vec![B, "vpc-1"]),
        (rest, vec![B, "vpc-1"], vec![A]),
        (json!({}), vec![A, B, "vpc-1"], vec![]),
        (prod, vec![A], vec![B, "vpc-1"]),
    ] {
        let scanner = again(&fake, &told, settings).await;
        for _ in 0..2 {
            scanner.scan(&told).await;
            assert_eq!(told.graph.existing().await, existing);
            assert_eq!(told.graph.unobserved().await, left);
        }
    }
    let lines = told.lines();
    let deleted = lines.iter().filter(|line| line.starts_with("deleted"));
    assert_eq!(deleted.count(), 0, "{lines:?}");
}

#[tokio::test]
async fn under_a_filter_what_is_not_listed_is_deleted_and_what_is_not_taken_released() {
    let scan = Arc::new(std::sync::Mutex::new(0));
    let scans = scan.clone();
    let fake = Fake::new(move |request: &Request| match request["Action"].as_str() {
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
                // s-1 is another's now, s-2 is gone.
                1 => [subnet("s-1", "dev"), String::new()],
                _ => [subnet("s-1", "prod"), String::new()],
            };
            Reply::Xml(format!("<subnetSet>{}</subnetSet>", subnets.concat()))
        }
    })
    .await;
    let settings = json!({"tags": {"include": {"env": "prod"}}});
    let scanner = fake.scanner(settings).await;
    let told = Told::default();
    scanner.scan(&told).await;
    told.lines();
    *scan.lock().unwrap() = 1;
    scanner.scan(&told).await;
    assert!(told.lines().contains(&"deleted subnet/s-2".to_owned()));
    assert_eq!(told.graph.ended().await, ["s-2"]);
    assert_eq!(told.graph.unobserved().await, ["s-1"]);
    *scan.lock().unwrap() = 2;
    scanner.scan(&told).await;
    let lines = told.lines();
    assert!(
        lines.contains(&"updated subnet/s-1".to_owned())
            || lines.contains(&"observed subnet/s-1".to_owned()),
        "it was not created: {lines:?}"
    );
    assert_eq!(told.graph.existing().await, ["s-1"]);
}
