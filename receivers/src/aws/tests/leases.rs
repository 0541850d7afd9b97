//! Several processes that run the same receiver over one store.

use std::sync::Arc;
use std::time::Duration;

use pipeline::claims::{ClaimClass, Removal};
use pipeline::component::UnixNanos;
use pipeline::graph_store::GraphStore as _;
use pipeline::members::Members;
use pipeline::reports::{RemovalReport, ReportBatch, ScanCompletion, Sighting};
use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, FakeAws, RecordingSink, Reply, Request, vpcs};
use crate::aws::emit::Inventory;
use crate::aws::scan::{Leases, Scanner};

const OWNER: &str = "210987654321";
const OTHER: &str = "333333333333";
const MINUTE: Duration = Duration::from_secs(60);

/// Accounts with a VPC, a subnet of their own, and a subnet that the owner shares. Subnets are listed slowly.
async fn account() -> FakeAws {
    FakeAws::new(|request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&["vpc-1"]),
        _ => {
            let subnets = ["s-own", &format!("s-{}", &request["account"][..1])];
            let owners = [&request["account"], OWNER];
            let subnets = subnets.iter().zip(owners).map(|(id, owner)| {
                format!("<item><subnetId>{id}</subnetId><ownerId>{owner}</ownerId></item>")
            });
            let subnets: String = subnets.collect();
            Reply::Late(format!("<subnetSet>{subnets}</subnetSet>"))
        }
    })
    .await
}

/// The scanner of another process.
async fn process(fake: &FakeAws, sink: &RecordingSink, settings: Json) -> Arc<Scanner> {
    let leases = Leases::new(Some(sink.graph.store.clone()), "aws");
    fake.scanner_with(settings, Inventory::default(), leases)
        .await
}

#[tokio::test]
async fn one_of_two_processes_at_a_time_scans_a_scope() {
    let (fake, sink) = (account().await, RecordingSink::default());
    let one = process(&fake, &sink, json!({})).await;
    let other = process(&fake, &sink, json!({})).await;
    let (first, second) = futures::join!(one.scan(&sink), other.scan(&sink));
    assert!(first.left_out + second.left_out > 0);
    assert_eq!(
        first.complete + first.left_out + second.complete + second.left_out,
        4
    );
    let lines = sink.lines();
    let subnets = lines.iter().filter(|line| line.contains("EC2::Subnet 1"));
    assert_eq!(subnets.count(), 1, "{lines:?}");
    // Both can scan all scopes, one process after the other.
    for process in [&one, &other] {
        let summary = process.scan(&sink).await;
        assert_eq!((summary.complete, summary.left_out), (2, 0));
    }
}

#[tokio::test]
async fn scope_that_another_process_scans_is_skipped_and_not_released() {
    let (fake, sink) = (account().await, RecordingSink::default());
    let role = format!("arn:aws:iam::{OTHER}:role/airdig");
    let settings = json!({"accounts": [{}, {"role_arn": role}]});
    let scanner = process(&fake, &sink, settings).await;
    scanner.scan(&sink).await;
    let existing = sink.graph.existing().await;
    assert_eq!(existing, ["s-1", "s-3", "s-own", "vpc-1"]);
    sink.lines();

    let store = sink.graph.store.clone();
    let scope = format!("{OTHER}/us-east-1/AWS::EC2::Subnet");
    let taken = store.lease("aws", &scope, "another", MINUTE).await;
    assert_eq!(
        taken.unwrap(),
        None,
        "the lease was released after the scan"
    );
    for _ in 0..2 {
        let summary = scanner.scan(&sink).await;
        assert_eq!((summary.complete, summary.left_out), (3, 1));
        // Only a process that scans all viewers reports shared resources.
        assert_eq!(sink.lines().len(), 3);
        assert_eq!(sink.graph.existing().await, existing);
    }
    store.end_lease("aws", &scope, "another").await.unwrap();
    let summary = scanner.scan(&sink).await;
    assert_eq!((summary.complete, summary.left_out), (4, 0));
}

#[tokio::test]
async fn leases_of_a_cancelled_scan_can_be_released() {
    let (fake, sink) = (account().await, RecordingSink::default());
    let scanner = process(&fake, &sink, json!({})).await;
    let cut = tokio::time::timeout(MINUTE / 600, scanner.scan(&sink)).await;
    assert!(cut.is_err(), "subnets take longer");
    scanner.leases.release_all().await;
    let other = process(&fake, &sink, json!({})).await;
    assert_eq!(other.scan(&sink).await.left_out, 0);
}

#[tokio::test]
async fn uid_that_another_scope_misses_is_refreshed_once_an_interval() {
    let (fake, sink) = (account().await, RecordingSink::default());
    let scanner = process(&fake, &sink, json!({})).await;
    scanner.scan(&sink).await;
    sink.lines();
    let store = sink.graph.store.clone();
    let uid = format!("arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/s-own");
    let misses = async {
        for _ in 0..3 {
            let (class, source, scope) = (ClaimClass::Actual, "aws/other", "all");
            let mut seen = ReportBatch::default();
            seen.sightings.push(Sighting {
                uid: &uid,
                class,
                source,
                scope,
                time: UnixNanos::now(),
                state: 7,
                by: pipeline::claims::ReportedBy::Scan,
                content: None,
            });
            store.write(&seen).await.unwrap();
            let mut missed = ReportBatch::default();
            let (began, how) = (UnixNanos::now(), Removal::Deleted);
            missed.removals.push(RemovalReport {
                uid: &uid,
                class,
                source,
                scope,
                time: began,
                how,
            });
            missed.completions.push(ScanCompletion {
                class,
                source,
                scope,
                began,
                members: Arc::new(Members::default()),
                miss: how,
            });
            let (commit, _) = store.write(&missed).await.unwrap();
            assert_eq!(commit.to_refresh, [uid.as_str()]);
            // Time for the refresh.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let follow = scanner.follow_commits(store.as_ref(), &sink);
    tokio::select! {
        () = follow => panic!("the store closed its commits"),
        () = misses => {}
    }
    assert_eq!(sink.lines(), ["observed subnet/s-own"]);
}
