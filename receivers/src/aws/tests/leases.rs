//! Several processes that run the same receiver over one store.

use std::sync::Arc;
use std::time::Duration;

use pipeline::claims::{ClaimClass, Removal};
use pipeline::component::UnixNanos;
use pipeline::graph_store::GraphStore as _;
use pipeline::reports::{RemovalReport, ReportBatch, ScanCompletion, Sighting};
use pipeline::scan_members::Members;
use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, FakeAws, RecordingSink, Reply, Request, vpcs};
use crate::aws::emit::Inventory;
use crate::aws::scan::{Leases, Scanner};

const OWNER: &str = "210987654321";
const OTHER: &str = "333333333333";
const MINUTE: Duration = Duration::from_secs(60);

/// Each account has a VPC and a subnet `s-own`, and sees a subnet that `OWNER` shares with it. Listing subnets is slow.
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

/// The scanner of a new process.
async fn process(fake: &FakeAws, sink: &RecordingSink, settings: Json) -> Arc<Scanner> {
    let leases = Leases::new(Some(sink.graph.store.clone()), "aws");
    fake.scanner_with(settings, Inventory::default(), leases)
        .await
}

#[tokio::test]
async fn scope_is_scanned_by_one_process_at_a_time() {
    let (fake, sink) = (account().await, RecordingSink::default());
    let one = process(&fake, &sink, json!({})).await;
    let other = process(&fake, &sink, json!({})).await;
    let (first, second) = futures::join!(one.scan(&sink), other.scan(&sink));
    assert!(first.skipped + second.skipped > 0);
    assert_eq!(
        first.complete + first.skipped + second.complete + second.skipped,
        4
    );
    let lines = sink.lines();
    let subnets = lines.iter().filter(|line| line.contains("EC2::Subnet 1"));
    assert_eq!(subnets.count(), 1, "{lines:?}");
    // One after the other, both processes can scan all scopes.
    for process in [&one, &other] {
        let summary = process.scan(&sink).await;
        assert_eq!((summary.complete, summary.skipped), (2, 0));
    }
}

#[tokio::test]
async fn scope_whose_lease_another_process_holds_is_skipped_and_not_released() {
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
        assert_eq!((summary.complete, summary.skipped), (3, 1));
        // Only a process that scans all accounts of a kind reports its shared resources.
        assert_eq!(sink.lines().len(), 3);
        assert_eq!(sink.graph.existing().await, existing);
    }
    store.end_lease("aws", &scope, "another").await.unwrap();
    let summary = scanner.scan(&sink).await;
    assert_eq!((summary.complete, summary.skipped), (4, 0));
}

#[tokio::test]
async fn leases_of_a_cancelled_scan_are_free_after_their_release() {
    let (fake, sink) = (account().await, RecordingSink::default());
    let scanner = process(&fake, &sink, json!({})).await;
    let cut = tokio::time::timeout(MINUTE / 600, scanner.scan(&sink)).await;
    assert!(cut.is_err(), "subnets take longer");
    scanner.leases.release_all().await;
    let other = process(&fake, &sink, json!({})).await;
    assert_eq!(other.scan(&sink).await.skipped, 0);
}

#[tokio::test]
async fn uid_that_another_scope_misses_is_refreshed_once_per_interval() {
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
            // The refresh needs some time.
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
