//! Several processes that run the same receiver over one store.

use std::sync::Arc;
use std::time::Duration;

use pipeline::claims::{Class, Removal};
use pipeline::component::UnixNanos;
use pipeline::graph_store::GraphStore as _;
use pipeline::members::Members;
use pipeline::reports::{Completion, Removed, ReportBatch, Sighting};
use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, Fake, Reply, Request, Told, vpcs};
use crate::aws::known::Known;
use crate::aws::leases::Leases;
use crate::aws::scanner::Scanner;

const OWNER: &str = "210987654321";
const OTHER: &str = "333333333333";
const MINUTE: Duration = Duration::from_secs(60);

/// A VPC, and a subnet that the owner shares with all accounts, listed slowly.
async fn account() -> Fake {
    Fake::new(|request: &Request| match request["Action"].as_str() {
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

/// A process of its own.
async fn process(fake: &Fake, told: &Told, settings: Json) -> Arc<Scanner> {
    let leases = Leases::new(Some(told.graph.store.clone()), "aws");
    fake.scanner_with(settings, Known::default(), leases).await
}

#[tokio::test]
async fn of_two_processes_one_at_a_time_scans_a_scope() {
    let (fake, told) = (account().await, Told::default());
    let one = process(&fake, &told, json!({})).await;
    let other = process(&fake, &told, json!({})).await;
    let (first, second) = futures::join!(one.scan(&told), other.scan(&told));
    assert!(first.left_out + second.left_out > 0);
    assert_eq!(
        first.complete + first.left_out + second.complete + second.left_out,
        4
    );
    let lines = told.lines();
    let subnets = lines.iter().filter(|line| line.contains("EC2::Subnet 1"));
    assert_eq!(subnets.count(), 1, "{lines:?}");
    // Both go on, one after the other.
    for process in [&one, &other] {
        let summary = process.scan(&told).await;
        assert_eq!((summary.complete, summary.left_out), (2, 0));
    }
}

#[tokio::test]
async fn what_another_process_scans_is_left_out_and_nothing_is_released_by_it() {
    let (fake, told) = (account().await, Told::default());
    let role = format!("arn:aws:iam::{OTHER}:role/airdig");
    let settings = json!({"accounts": [{}, {"role_arn": role}]});
    let scanner = process(&fake, &told, settings).await;
    scanner.scan(&told).await;
    let existing = told.graph.existing().await;
    assert_eq!(existing, ["s-1", "s-3", "s-own", "vpc-1"]);
    told.lines();

    let store = told.graph.store.clone();
    let scope = format!("{OTHER}/us-east-1/AWS::EC2::Subnet");
    let taken = store.lease("aws", &scope, "another", MINUTE).await;
    assert_eq!(taken.unwrap(), None, "it was given back after the scan");
    for _ in 0..2 {
        let summary = scanner.scan(&told).await;
        assert_eq!((summary.complete, summary.left_out), (3, 1));
        // What is shared is seen whole by the process that scans all who see it.
        assert_eq!(told.lines().len(), 3);
        assert_eq!(told.graph.existing().await, existing);
    }
    store.end_lease("aws", &scope, "another").await.unwrap();
    let summary = scanner.scan(&told).await;
    assert_eq!((summary.complete, summary.left_out), (4, 0));
}

#[tokio::test]
async fn a_scan_that_is_cut_off_gives_its_leases_back() {
    let (fake, told) = (account().await, Told::default());
    let scanner = process(&fake, &told, json!({})).await;
    let cut = tokio::time::timeout(MINUTE / 600, scanner.scan(&told)).await;
    assert!(cut.is_err(), "subnets take longer");
    scanner.leases.give_back_all().await;
    let other = process(&fake, &told, json!({})).await;
    assert_eq!(other.scan(&told).await.left_out, 0);
}

#[tokio::test]
async fn what_another_scope_misses_is_looked_at_once() {
    let (fake, told) = (account().await, Told::default());
    let scanner = process(&fake, &told, json!({})).await;
    scanner.scan(&told).await;
    told.lines();
    let store = told.graph.store.clone();
    let uid = format!("arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/s-own");
    let misses = async {
        for _ in 0..3 {
            let (class, source, scope) = (Class::Actual, "aws/other", "all");
            let mut seen = ReportBatch::default();
            seen.sightings.push(Sighting {
                uid: &uid,
                class,
                source,
                scope,
                time: UnixNanos::now(),
                state: 7,
                by: pipeline::claims::By::Scan,
                content: None,
            });
            store.write(&seen).await.unwrap();
            let mut missed = ReportBatch::default();
            let (began, how) = (UnixNanos::now(), Removal::Deleted);
            missed.removals.push(Removed {
                uid: &uid,
                class,
                source,
                scope,
                time: began,
                how,
            });
            missed.completions.push(Completion {
                class,
                source,
                scope,
                began,
                members: Arc::new(Members::default()),
                miss: how,
            });
            let (commit, _) = store.write(&missed).await.unwrap();
            assert_eq!(commit.to_refresh, [uid.as_str()]);
            // It takes its time to be answered.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let follow = scanner.follow_misses(store.as_ref(), &told);
    tokio::select! {
        () = follow => panic!("the store goes on"),
        () = misses => {}
    }
    assert_eq!(told.lines(), ["observed subnet/s-own"]);
}
