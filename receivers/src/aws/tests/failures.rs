//! What fails is named and unknown; the rest goes on.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pipeline::resource::Observed;
use serde_json::json;

use super::fake::{Fake, Reply, Request, Told, subnets, vpcs};

/// Answers subnets in turn with these replies, VPCs always well.
async fn in_turn(replies: Vec<Reply>) -> Fake {
    let mut replies = replies.into_iter();
    Fake::new(move |request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&["vpc-1"]),
        _ => replies.next().expect("no more is asked"),
    })
    .await
}

async fn failure_of(reply: Reply, settings: serde_json::Value) -> String {
    // As often as it is tried.
    let fake = in_turn(vec![reply; 3]).await;
    let told = Told::default();
    let summary = fake.scanner(settings).await.scan(&told).await;
    assert_eq!((summary.complete, summary.failed), (1, 1));
    assert_eq!(
        told.lines(),
        ["complete AWS::EC2::VPC 1", "created vpc/vpc-1"]
    );
    let mut failures = told.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures.remove(0)
}

#[tokio::test]
async fn each_failure_is_named_with_call_region_account_and_what_to_do() {
    let place = "ec2:DescribeSubnets in us-east-1 of 123456789012: ";
    for (reply, what, advice) in [
        (
            Reply::Error(403, "UnauthorizedOperation"),
            "access denied",
            "allow ec2:DescribeSubnets",
        ),
        (
            Reply::Error(400, "RequestExpired"),
            "no valid credentials",
            "give airdig credentials",
        ),
        (
            Reply::Error(401, "AuthFailure"),
            "no valid credentials",
            "enable us-east-1 in the account",
        ),
        (
            Reply::Error(401, "OptInRequired"),
            "the region is switched off",
            "enable us-east-1",
        ),
        (
            Reply::Error(503, "RequestLimitExceeded"),
            "throttled",
            "lower `rate_limits: {ec2: …}`",
        ),
        (
            Reply::Error(500, "InternalError"),
            "failed (InternalError",
            "the next scan tries again",
        ),
        (
            Reply::Cut("<subnetSet><item>".to_owned()),
            "malformed answer",
            "whoever answers is not AWS",
        ),
        (
            Reply::Xml("<subnetSet></wrong>".to_owned()),
            "malformed answer",
            "whoever answers is not AWS",
        ),
        // Whoever says nothing of subnets says not that there are none.
        (
            Reply::Xml("<html>hello</html>".to_owned()),
            "malformed answer (it has no Subnets)",
            "whoever answers is not AWS",
        ),
    ] {
        let failure = failure_of(reply, json!({})).await;
        assert!(failure.starts_with(&format!("{place}{what}")), "{failure}");
        assert!(failure.contains(advice), "{failure}");
    }
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_given_up() {
    let began = Instant::now();
    let failure = failure_of(Reply::Hang, json!({"timeout": "200ms"})).await;
    assert!(failure.contains("no answer in time"), "{failure}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_named() {
    let fake = in_turn(Vec::new()).await;
    let scanner = fake.scanner(json!({})).await;
    drop(fake);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let told = Told::default();
    let summary = scanner.scan(&told).await;
    assert_eq!(
        (summary.complete, summary.failed),
        (0, 1),
        "no account, no scopes"
    );
    let failure = told.failures().remove(0);
    assert!(
        failure.starts_with("sts:GetCallerIdentity in us-east-1: not reachable"),
        "{failure}"
    );
}

#[tokio::test]
async fn throttling_that_passes_is_no_failure() {
    let throttled = Reply::Error(503, "RequestLimitExceeded");
    let fake = in_turn(vec![throttled.clone(), throttled, subnets(&["s-1"], None)]).await;
    let told = Told::default();
    let summary = fake.scanner(json!({})).await.scan(&told).await;
    assert_eq!((summary.complete, summary.failed), (2, 0));
    assert!(told.lines().contains(&"created subnet/s-1".to_owned()));
}

#[tokio::test]
async fn what_a_failed_page_would_have_told_is_unknown_and_not_missing() {
    let broken = vec![Reply::Error(500, "InternalError"); 3];
    let whole = subnets(&["s-1", "s-2"], None);
    let half = subnets(&["s-1", "s-3"], Some("two"));
    let replies = [vec![whole.clone(), half], broken, vec![whole]].concat();
    let fake = in_turn(replies).await;
    let scanner = fake.scanner(json!({})).await;
    let told = Told::default();
    scanner.scan(&told).await;
    told.lines();
    scanner.scan(&told).await;
    // What was seen is told; the scope is not complete, so s-2 does not end.
    assert_eq!(
        told.lines(),
        ["complete AWS::EC2::VPC 1", "created subnet/s-3"]
    );
    scanner.scan(&told).await;
    let lines = told.lines();
    assert!(
        lines.contains(&"deleted subnet/s-3".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"complete AWS::EC2::Subnet 2".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_end_the_scope() {
    let page = subnets(&["s-1"], Some("again"));
    let fake = in_turn(vec![page.clone(), page]).await;
    let told = Told::default();
    let summary = fake.scanner(json!({})).await.scan(&told).await;
    assert_eq!(summary.failed, 1);
    assert!(told.failures()[0].contains("a page leads to itself"));
}

#[tokio::test]
async fn a_failure_that_lasts_is_told_once() {
    let denied = Reply::Error(403, "UnauthorizedOperation");
    let fake = in_turn(vec![denied.clone(), denied, subnets(&[], None)]).await;
    let scanner = fake.scanner(json!({})).await;
    let told = Told::default();
    for (failed, told_of) in [(1, 1), (1, 0), (0, 0)] {
        assert_eq!(scanner.scan(&told).await.failed, failed);
        assert_eq!(told.failures().len(), told_of);
    }
}

#[tokio::test]
async fn what_a_newer_api_says_is_kept() {
    let state = Arc::new(Mutex::new("levitating"));
    let fake = Fake::new(move |request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&[]),
        _ => Reply::Xml(format!(
            "<subnetSet><item><subnetId>s-1</subnetId><state>{}</state><warpDrive>on</warpDrive></item></subnetSet>",
            state.lock().unwrap()
        )),
    })
    .await;
    let told = Told::default();
    let summary = fake.scanner(json!({})).await.scan(&told).await;
    assert_eq!(summary.failed, 0);
    let batches = told.batches.lock().unwrap();
    let rows = batches.iter().flat_map(Observed::of);
    let subnet = rows.filter(|row| row.uid.is_some()).last().unwrap();
    let configuration = pipeline::attributes::map_to_json(pipeline::attributes::Map::new(
        subnet.configuration.unwrap(),
    ));
    assert_eq!(configuration["State"], "levitating");
    assert_eq!(configuration["WarpDrive"], "on");
}
