//! Tags that take a call of their own, while a filter looks at them.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::fake::{Fake, Reply, Request, Told};

const ELB: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app";

/// A load balancer of production and one of nobody, each with its tags.
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
async fn what_has_tags_that_cannot_be_read_is_unknown_under_a_filter_and_not_gone() {
    let scan = AtomicUsize::new(0);
    let fake = Fake::new(move |request: &Request| {
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
    let told = Told::default();
    scanner.scan(&told).await;
    let complete = told.lines().remove(0);
    assert!(
        complete.starts_with("complete in part AWS::ElasticLoadBalancingV2::LoadBalancer"),
        "{complete}"
    );
    for failures in [1, 0] {
        scanner.scan(&told).await;
        assert_eq!(
            told.lines(),
            [complete.as_str()],
            "nothing is told, and one is there"
        );
        assert_eq!(told.failures().len(), failures);
    }
}

#[tokio::test]
async fn what_may_be_excluded_by_tags_that_cannot_be_read_is_not_told() {
    let fake = Fake::new(|request: &Request| match request["Action"].as_str() {
        "DescribeTags" => Reply::Error(403, "AccessDenied"),
        _ => balancers(request),
    })
    .await;
    let settings = json!({
        "kinds": {"include": ["AWS::ElasticLoadBalancingV2::LoadBalancer"]},
        "tags": {"exclude": {"env": "prod"}},
    });
    let told = Told::default();
    fake.scanner(settings).await.scan(&told).await;
    assert!(told.lines().iter().all(|line| !line.starts_with("created")));
}
