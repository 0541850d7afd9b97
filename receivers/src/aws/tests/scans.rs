//! The rows that consecutive scans write.

use std::sync::{Arc, Mutex};

use pipeline::rows::Rows;
use pipeline::{Delivery, Signal};
use serde_json::json;

use super::fake::{ACCOUNT, FakeAws, RecordingSink, Reply, Request, subnets, vpcs};

/// An account with a VPC, and with the subnets that `ids` contains at the time of a request.
async fn account(ids: Arc<Mutex<Vec<&'static str>>>) -> FakeAws {
    FakeAws::new(move |request: &Request| match request["Action"].as_str() {
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
async fn all_pages_are_read() {
    let fake = FakeAws::new(|request: &Request| {
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
    let sink = RecordingSink::default();
    let summary = fake.scanner(json!({})).await.scan(&sink).await;
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
    assert_eq!(sink.lines(), lines);
}

#[tokio::test]
async fn scan_reports_only_changed_resources() {
    let ids = Arc::new(Mutex::new(vec!["s-1", "s-2"]));
    let fake = account(ids.clone()).await;
    let scanner = fake.scanner(json!({})).await;
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    assert_eq!(sink.lines().len(), 5);
    scanner.scan(&sink).await;
    let unchanged = ["complete AWS::EC2::Subnet 2", "complete AWS::EC2::VPC 1"];
    assert_eq!(sink.lines(), unchanged, "one row per scope");
    *ids.lock().unwrap() = vec!["s-2", "s-3"];
    scanner.scan(&sink).await;
    let lines = sink.lines();
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
    scanner.scan(&sink).await;
    assert!(
        sink.lines().contains(&"created subnet/s-1".to_owned()),
        "a deleted resource that exists again is created"
    );
}

#[tokio::test]
async fn resource_does_not_change_with_the_order_of_its_tags() {
    let requests = Arc::new(Mutex::new(0));
    let fake = FakeAws::new(move |request: &Request| {
        if request["Action"] == "DescribeVpcs" {
            return vpcs(&[]);
        }
        let mut tags = [
            "<item><key>a</key><value>1</value></item>",
            "<item><key>b</key><value>2</value></item>",
        ];
        let mut requests = requests.lock().unwrap();
        *requests += 1;
        if *requests == 2 {
            tags.reverse();
        }
        let tags = tags.concat();
        Reply::Xml(format!(
            "<subnetSet><item><subnetId>s-1</subnetId><tagSet>{tags}</tagSet></item></subnetSet>"
        ))
    })
    .await;
    let scanner = fake.scanner(json!({})).await;
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    sink.lines();
    scanner.scan(&sink).await;
    assert_eq!(sink.lines().len(), 2);
}

#[tokio::test]
async fn next_scan_reports_rejected_rows_again() {
    let fake = account(Arc::new(Mutex::new(vec!["s-1"]))).await;
    let scanner = fake.scanner(json!({})).await;
    let rejecting = RecordingSink {
        rejects: true,
        ..RecordingSink::default()
    };
    let summary = scanner.scan(&rejecting).await;
    assert_eq!((summary.complete, summary.failed), (0, 2));
    assert!(rejecting.failures()[0].contains("not delivered (scripted rejection)"));
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    assert!(sink.lines().contains(&"created subnet/s-1".to_owned()));
}

#[tokio::test]
async fn narrower_filter_has_a_scope_of_its_own_and_deletes_nothing() {
    let fake = FakeAws::new(|request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&[]),
        _ => Reply::Xml(
            "<subnetSet><item><subnetId>s-1</subnetId><tagSet><item><key>env</key><value>prod</value></item>\
             </tagSet></item><item><subnetId>s-2</subnetId></item></subnetSet>"
                .to_owned(),
        ),
    })
    .await;
    let wide = fake.scanner(json!({})).await;
    let sink = RecordingSink::default();
    wide.scan(&sink).await;
    assert_eq!(sink.lines().len(), 4);
    let inventory = Arc::into_inner(wide).unwrap().inventory;
    let settings = json!({"tags": {"include": {"env": "prod"}}});
    let narrow = fake.scanner_with_inventory(settings, inventory).await;
    narrow.scan(&sink).await;
    let lines = sink.lines();
    // The resource is reported once in the new scope, without a change.
    assert!(
        lines.contains(&"observed subnet/s-1".to_owned()),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.starts_with("deleted")),
        "{lines:?}"
    );
    narrow.scan(&sink).await;
    assert_eq!(sink.lines().len(), 2);
}

#[tokio::test]
async fn refresh_reports_the_current_state_of_each_requested_uid() {
    let ids = Arc::new(Mutex::new(vec!["s-1"]));
    let fake = account(ids.clone()).await;
    let scanner = fake.scanner(json!({})).await;
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    sink.lines();
    let requests_for = |ids: &[&str]| {
        let mut rows = Rows::new(Signal::RefreshRequests);
        for id in ids {
            let uid = format!("arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/{id}");
            rows.push(None, Some(&uid), "test", &[]);
        }
        // Two uids that the receiver ignores: one is not an ARN, and the region of the other is not scanned.
        rows.push(None, Some("svc:////of-another-receiver"), "test", &[]);
        let elsewhere = format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:subnet/s-1");
        rows.push(None, Some(&elsewhere), "test", &[]);
        rows.finish(Delivery::untracked())
    };
    scanner.refresh(&requests_for(&["s-1", "s-9"]), &sink).await;
    assert_eq!(
        sink.lines(),
        ["observed subnet/s-1"],
        "an unchanged resource is reported, too"
    );
    *ids.lock().unwrap() = vec!["s-9"];
    scanner.refresh(&requests_for(&["s-1", "s-9"]), &sink).await;
    assert_eq!(sink.lines(), ["created subnet/s-9", "deleted subnet/s-1"]);
    scanner.scan(&sink).await;
    assert_eq!(
        sink.lines().len(),
        2,
        "only the completions: the refresh already reported the changes"
    );
}
