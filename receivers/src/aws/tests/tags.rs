//! Filters by tags that a separate call returns.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::fake::{FakeAws, RecordingSink, Reply, Request};

const ELB: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app";

/// A load balancer with the tag `env: prod` and one without tags.
fn balancers(request: &Request) -> Reply {
    let arns = ["shop", "sandbox"].map(|name| format!("{ELB}/{name}/1"));
    let members: String = match request["Action"].as_str() {
        "DescribeLoadBalancers" => {
            let member =
                |arn: &String| format!("<member><LoadBalancerArn>{arn}</LoadBalancerArn></member>");
            arns.iter().map(member).collect()
        }
        _ => format!(
            "<member><ResourceArn>{}</ResourceArn><Tags><member><Key>env</Key><Value>prod</Value></member></Tags></member>",
            arns[0]
        ),
    };
    let (action, list) = match request["Action"].as_str() {
        "DescribeLoadBalancers" => ("DescribeLoadBalancers", "LoadBalancers"),
        _ => ("DescribeTags", "TagDescriptions"),
    };
    Reply::Xml(format!(
        "<{action}Result><{list}>{members}</{list}></{action}Result>"
    ))
}

#[tokio::test]
async fn resource_whose_tags_cannot_be_read_is_not_deleted_under_a_filter() {
    let scan = AtomicUsize::new(0);
    let fake = FakeAws::new(move |request: &Request| {
        if request["Action"] == "DescribeLoadBalancers" {
            scan.fetch_add(1, Ordering::Relaxed);
        }
        match (request["Action"].as_str(), scan.load(Ordering::Relaxed)) {
            ("DescribeTags", 2) => Reply::Error(403, "AccessDenied"),
            _ => balancers(request),
        }
    })
    .await;
    let settings = json!({
        "kinds": {"include": ["AWS::ElasticLoadBalancingV2::LoadBalancer"]},
        "tags": {"include": {"env": "prod"}},
    });
    let scanner = fake.scanner(settings).await;
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    let complete = sink.lines().remove(0);
    assert!(
        complete.starts_with("complete in part AWS::ElasticLoadBalancingV2::LoadBalancer"),
        "{complete}"
    );
    for failures in [1, 0] {
        scanner.scan(&sink).await;
        assert_eq!(
            sink.lines(),
            [complete.as_str()],
            "no resource is reported, and the scope has one member"
        );
        assert_eq!(sink.failures().len(), failures);
    }
}

#[tokio::test]
async fn new_resource_is_not_reported_while_its_tags_may_exclude_it() {
    let fake = FakeAws::new(|request: &Request| match request["Action"].as_str() {
        "DescribeTags" => Reply::Error(403, "AccessDenied"),
        _ => balancers(request),
    })
    .await;
    let settings = json!({
        "kinds": {"include": ["AWS::ElasticLoadBalancingV2::LoadBalancer"]},
        "tags": {"exclude": {"env": "prod"}},
    });
    let sink = RecordingSink::default();
    fake.scanner(settings).await.scan(&sink).await;
    assert!(sink.lines().iter().all(|line| !line.starts_with("created")));
}
