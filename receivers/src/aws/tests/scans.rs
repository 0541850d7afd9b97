//! What is told from scan to scan.

use std::sync::{Arc, Mutex};

use pipeline::rows::Rows;
use pipeline::{Delivery, Signal};
use serde_json::json;

use super::fake::{ACCOUNT, Fake, Reply, Request, Told, subnets, vpcs};

/// A VPC, and the subnets that the list holds at the time.
async fn account(ids: Arc<Mutex<Vec<&'static str>>>) -> Fake {
    Fake::new(move |request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&["vpc-1"]),
        _ => match request.get("SubnetId.1") {
            None => subnets(&ids.lock().unwrap(), None),
            Some(id) if ids.lock().unwrap().contains(&id.as_str()) => subnets(&[id], None),
            Some(_) => Reply::Error(400, "InvalidSubnetID.NotFound"),
        },
    })
    .await
}

#[tokio::test]
async fn a_page_leads_to_the_next_until_there_is_none() {
    let fake = Fake::new(|request: &Request| {
        match (
            request["Action"].as_str(),
            request.get("NextToken").map(String::as_str),
        ) {
            ("DescribeVpcs", _) => vpcs(&[]),
            (_, None) => subnets(&["s-1", "s-2"], Some("two")),
            (_, Some("two")) => subnets(&["s-3"], Some("three")),
            // The last page may be empty.
            _ => subnets(&[], None),
        }
    })
    .await;
    let told = Told::default();
    let summary = fake.scanner(json!({})).await.scan(&told).await;
    assert_eq!(
        (summary.resources, summary.complete, summary.failed),
        (3, 2, 0)
    );
    let lines = [
        "complete AWS::EC2::Subnet 3",
        "complete AWS::EC2::VPC 0",
        "created subnet/s-1",
        "created subnet/s-2",
        "created subnet/s-3",
    ];
    assert_eq!(told.lines(), lines);
}

#[tokio::test]
async fn only_what_is_new_is_told_again() {
    let ids = Arc::new(Mutex::new(vec!["s-1", "s-2"]));
    let fake = account(ids.clone()).await;
    let scanner = fake.scanner(json!({})).await;
    let told = Told::default();
    scanner.scan(&told).await;
    assert_eq!(told.lines().len(), 5);
    scanner.scan(&told).await;
    let unchanged = ["complete AWS::EC2::Subnet 2", "complete AWS::EC2::VPC 1"];
    assert_eq!(told.lines(), unchanged, "one row a scope");
    *ids.lock().unwrap() = vec!["s-2", "s-3"];
    scanner.scan(&told).await;
    let lines = told.lines();
    assert!(
        lines.contains(&"created subnet/s-3".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"deleted subnet/s-1".to_owned()),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 4, "{lines:?}");
    *ids.lock().unwrap() = vec!["s-1", "s-2", "s-3"];
    scanner.scan(&told).await;
    assert!(
        told.lines().contains(&"created subnet/s-1".to_owned()),
        "it was made anew"
    );
}

#[tokio::test]
async fn the_same_in_another_order_is_no_change() {
    let turn = Arc::new(Mutex::new(0));
    let fake = Fake::new(move |request: &Request| {
        if request["Action"] == "DescribeVpcs" {
            return vpcs(&[]);
        }
        let mut tags = [
            "<item><key>a</key><value>1</value></item>",
            "<item><key>b</key><value>2</value></item>",
        ];
        let mut turn = turn.lock().unwrap();
        *turn += 1;
        if *turn == 2 {
            tags.reverse();
        }
        let tags = tags.concat();
        Reply::Xml(format!(
            "<subnetSet><item><subnetId>s-1</subnetId><tagSet>{tags}</tagSet></item></subnetSet>"
        ))
    })
    .await;
    let scanner = fake.scanner(json!({})).await;
    let told = Told::default();
    scanner.scan(&told).await;
    told.lines();
    scanner.scan(&told).await;
    assert_eq!(told.lines().len(), 2);
}

#[tokio::test]
async fn what_was_not_delivered_is_told_again() {
    let fake = account(Arc::new(Mutex::new(vec!["s-1"]))).await;
    let scanner = fake.scanner(json!({})).await;
    let refusing = Told {
        refuses: true,
        ..Told::default()
    };
    let summary = scanner.scan(&refusing).await;
    assert_eq!((summary.complete, summary.failed), (0, 2));
    assert!(refusing.failures()[0].contains("not delivered (told to refuse)"));
    let told = Told::default();
    scanner.scan(&told).await;
    assert!(told.lines().contains(&"created subnet/s-1".to_owned()));
}

#[tokio::test]
async fn a_narrower_filter_is_another_scope_and_ends_nothing() {
    let fake = Fake::new(|request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&[]),
        _ => Reply::Xml(
            "<subnetSet><item><subnetId>s-1</subnetId><tagSet><item><key>env</key><value>prod</value></item>\
             </tagSet></item><item><subnetId>s-2</subnetId></item></subnetSet>"
                .to_owned(),
        ),
    })
    .await;
    let wide = fake.scanner(json!({})).await;
    let told = Told::default();
    wide.scan(&told).await;
    assert_eq!(told.lines().len(), 4);
    let known = Arc::into_inner(wide).unwrap().known;
    let settings = json!({"tags": {"include": {"env": "prod"}}});
    let narrow = fake.scanner_that_knows(settings, known).await;
    narrow.scan(&told).await;
    let lines = told.lines();
    // It is told once, so that the new scope can vouch for it, and is no event.
    assert!(
        lines.contains(&"observed subnet/s-1".to_owned()),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.starts_with("deleted")),
        "{lines:?}"
    );
    narrow.scan(&told).await;
    assert_eq!(told.lines().len(), 2);
}

#[tokio::test]
async fn one_thing_is_looked_at_again_when_it_is_asked_for() {
    let ids = Arc::new(Mutex::new(vec!["s-1"]));
    let fake = account(ids.clone()).await;
    let scanner = fake.scanner(json!({})).await;
    let told = Told::default();
    scanner.scan(&told).await;
    told.lines();
    let ask = |ids: &[&str]| {
        let mut rows = Rows::new(Signal::RefreshRequests);
        for id in ids {
            let uid = format!("arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/{id}");
            rows.push(None, Some(&uid), "test", &[]);
        }
        // Of no AWS account, and of a region that is not scanned.
        rows.push(None, Some("svc:////of-nobody-here"), "test", &[]);
        let elsewhere = format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:subnet/s-1");
        rows.push(None, Some(&elsewhere), "test", &[]);
        rows.finish(Delivery::nobody())
    };
    scanner.refresh(&ask(&["s-1", "s-9"]), &told).await;
    assert_eq!(
        told.lines(),
        ["observed subnet/s-1"],
        "also where nothing is new"
    );
    *ids.lock().unwrap() = vec!["s-9"];
    scanner.refresh(&ask(&["s-1", "s-9"]), &told).await;
    assert_eq!(told.lines(), ["created subnet/s-9", "deleted subnet/s-1"]);
    scanner.scan(&told).await;
    assert_eq!(told.lines().len(), 2, "the scan has nothing to add");
}
