//! Failed calls: each is reported and leaves the state of its scope unknown, and the other scopes are scanned.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pipeline::resource::ResourceRow;
use serde_json::json;

use super::fake::{FakeAws, RecordingSink, Reply, Request, subnets, vpcs};

/// A fake that replies to requests for subnets with these replies, one after the other. Requests for VPCs always
/// succeed.
async fn replies_in_turn(replies: Vec<Reply>) -> FakeAws {
    let mut replies = replies.into_iter();
    FakeAws::new(move |request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&["vpc-1"]),
        _ => replies.next().expect("no further request"),
    })
    .await
}

async fn failure_of(reply: Reply, settings: serde_json::Value) -> String {
    // The SDK makes three attempts.
    let fake = replies_in_turn(vec![reply; 3]).await;
    let sink = RecordingSink::default();
    let summary = fake.scanner(settings).await.scan(&sink).await;
    assert_eq!((summary.complete, summary.failed), (1, 1));
    assert_eq!(
        sink.lines(),
        ["complete AWS::EC2::VPC 1", "created vpc/vpc-1"]
    );
    let mut failures = sink.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures.remove(0)
}

#[tokio::test]
async fn message_of_each_failure_names_call_region_account_and_remedy() {
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
            "configure valid credentials",
        ),
        (
            Reply::Error(401, "AuthFailure"),
            "no valid credentials",
            "enable us-east-1 in the account",
        ),
        (
            Reply::Error(401, "OptInRequired"),
            "the region is disabled",
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
            "malformed response",
            "the endpoint is not AWS",
        ),
        (
            Reply::Xml("<subnetSet></wrong>".to_owned()),
            "malformed response",
            "the endpoint is not AWS",
        ),
        // A response without the list does not mean an empty list.
        (
            Reply::Xml("<html>hello</html>".to_owned()),
            "malformed response (the response has no Subnets)",
            "the endpoint is not AWS",
        ),
    ] {
        let failure = failure_of(reply, json!({})).await;
        assert!(failure.starts_with(&format!("{place}{what}")), "{failure}");
        assert!(failure.contains(advice), "{failure}");
    }
}

#[tokio::test]
async fn hanging_endpoint_times_out() {
    let began = Instant::now();
    let failure = failure_of(Reply::Hang, json!({"timeout": "200ms"})).await;
    assert!(failure.contains("timed out"), "{failure}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn unreachable_endpoint_is_reported() {
    let fake = replies_in_turn(Vec::new()).await;
    let scanner = fake.scanner(json!({})).await;
    drop(fake);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let sink = RecordingSink::default();
    let summary = scanner.scan(&sink).await;
    assert_eq!(
        (summary.complete, summary.failed),
        (0, 1),
        "without an account there are no scopes"
    );
    let failure = sink.failures().remove(0);
    assert!(
        failure.starts_with("sts:GetCallerIdentity in us-east-1: endpoint unreachable"),
        "{failure}"
    );
}

#[tokio::test]
async fn throttled_call_is_repeated_and_is_no_failure() {
    let throttled = Reply::Error(503, "RequestLimitExceeded");
    let fake = replies_in_turn(vec![throttled.clone(), throttled, subnets(&["s-1"], None)]).await;
    let sink = RecordingSink::default();
    let summary = fake.scanner(json!({})).await.scan(&sink).await;
    assert_eq!((summary.complete, summary.failed), (2, 0));
    assert!(sink.lines().contains(&"created subnet/s-1".to_owned()));
}

#[tokio::test]
async fn resource_that_only_a_failed_page_lists_is_not_deleted() {
    let broken = vec![Reply::Error(500, "InternalError"); 3];
    let whole = subnets(&["s-1", "s-2"], None);
    let half = subnets(&["s-1", "s-3"], Some("two"));
    let replies = [vec![whole.clone(), half], broken, vec![whole]].concat();
    let fake = replies_in_turn(replies).await;
    let scanner = fake.scanner(json!({})).await;
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    sink.lines();
    scanner.scan(&sink).await;
    // The first page is reported. The second one fails, so the scope has no completion, and s-2 is not deleted.
    assert_eq!(
        sink.lines(),
        ["complete AWS::EC2::VPC 1", "created subnet/s-3"]
    );
    scanner.scan(&sink).await;
    let lines = sink.lines();
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
async fn repeated_page_token_fails_the_scope() {
    let page = subnets(&["s-1"], Some("again"));
    let fake = replies_in_turn(vec![page.clone(), page]).await;
    let sink = RecordingSink::default();
    let summary = fake.scanner(json!({})).await.scan(&sink).await;
    assert_eq!(summary.failed, 1);
    assert!(sink.failures()[0].contains("the token of the next page is that of the page itself"));
}

#[tokio::test]
async fn failure_that_lasts_for_several_scans_is_reported_once() {
    let denied = Reply::Error(403, "UnauthorizedOperation");
    let fake = replies_in_turn(vec![denied.clone(), denied, subnets(&[], None)]).await;
    let scanner = fake.scanner(json!({})).await;
    let sink = RecordingSink::default();
    for (failed, reported) in [(1, 1), (1, 0), (0, 0)] {
        assert_eq!(scanner.scan(&sink).await.failed, failed);
        assert_eq!(sink.failures().len(), reported);
    }
}

#[tokio::test]
async fn fields_and_values_of_a_newer_api_are_kept() {
    let state = Arc::new(Mutex::new("levitating"));
    let fake = FakeAws::new(move |request: &Request| match request["Action"].as_str() {
        "DescribeVpcs" => vpcs(&[]),
        _ => Reply::Xml(format!(
            "<subnetSet><item><subnetId>s-1</subnetId><state>{}</state><warpDrive>on</warpDrive></item></subnetSet>",
            state.lock().unwrap()
        )),
    })
    .await;
    let sink = RecordingSink::default();
    let summary = fake.scanner(json!({})).await.scan(&sink).await;
    assert_eq!(summary.failed, 0);
    let batches = sink.batches.lock().unwrap();
    let rows = batches.iter().flat_map(ResourceRow::all);
    let subnet = rows.filter(|row| row.uid.is_some()).last().unwrap();
    let configuration = pipeline::attributes::map_to_json(pipeline::attributes::Map::new(
        subnet.configuration.unwrap(),
    ));
    assert_eq!(configuration["State"], "levitating");
    assert_eq!(configuration["WarpDrive"], "on");
}
