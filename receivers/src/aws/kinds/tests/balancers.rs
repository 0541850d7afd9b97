//! Load balancers and their targets.

use serde_json::{Value as Json, json};

use super::{check, resource};
use crate::aws::kinds::elb_listener::Listener;
use crate::aws::kinds::elb_load_balancer::LoadBalancer;
use crate::aws::kinds::elb_target_group::TargetGroup;

const ELB: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012";

#[test]
fn load_balancer_has_aliases_of_its_host_name_as_written_and_in_lower_case() {
    let item = json!({
        "LoadBalancerArn": format!("{ELB}:loadbalancer/app/Web/50dc"), "LoadBalancerName": "Web",
        "DNSName": "Web-1.elb.amazonaws.com", "VpcId": "vpc-1", "SecurityGroups": ["sg-1"],
        "AvailabilityZones": [{"ZoneName": "us-east-1a", "SubnetId": "subnet-1"}],
        "Tags": [{"Key": "Name", "Value": "shop"}],
    });
    let edges = [
        "SECURED_BY ec2:security-group/sg-1",
        "PART_OF ec2:subnet/subnet-1",
    ];
    let aliases = [
        "name shop",
        "id app/Web/50dc",
        "name Web",
        "dns Web-1.elb.amazonaws.com",
        "same_as ext://Web-1.elb.amazonaws.com:",
        "same_as ext://Web-1.elb.amazonaws.com:80",
        "same_as ext://Web-1.elb.amazonaws.com:443",
        "dns web-1.elb.amazonaws.com",
        "same_as ext://web-1.elb.amazonaws.com:",
        "same_as ext://web-1.elb.amazonaws.com:80",
        "same_as ext://web-1.elb.amazonaws.com:443",
    ];
    let uid = "elasticloadbalancing:loadbalancer/app/Web/50dc";
    check(&LoadBalancer, &item, uid, &edges, &aliases);
}

#[test]
fn listener_routes_to_the_groups_of_its_default_actions() {
    let group = |name: &str| format!("{ELB}:targetgroup/{name}/1");
    let item = json!({
        "ListenerArn": format!("{ELB}:listener/app/web/50dc/f2f7"), "Port": 443,
        "LoadBalancerArn": format!("{ELB}:loadbalancer/app/web/50dc"),
        "DefaultActions": [
            {"Type": "authenticate-oidc", "Order": 1},
            {
                "Type": "forward", "Order": 2, "TargetGroupArn": group("a"),
                "ForwardConfig": {"TargetGroups": [
                    {"TargetGroupArn": group("a"), "Weight": 9}, {"TargetGroupArn": group("b"), "Weight": 1},
                ]},
            },
        ],
    });
    let edges = [
        "PART_OF elasticloadbalancing:loadbalancer/app/web/50dc",
        "ROUTES_TO elasticloadbalancing:targetgroup/a/1",
        "ROUTES_TO elasticloadbalancing:targetgroup/b/1",
    ];
    let uid = "elasticloadbalancing:listener/app/web/50dc/f2f7";
    check(&Listener, &item, uid, &edges, &["id app/web/50dc/f2f7"]);
}

/// A target group of this type with these unhealthy targets.
fn group(target_type: &str, targets: &[Json]) -> Json {
    let health =
        json!({"State": "unhealthy", "Reason": "Target.Timeout", "Description": "timed out"});
    let described: Vec<_> = targets
        .iter()
        .map(|target| json!({"Target": target, "TargetHealth": &health}))
        .collect();
    json!({
        "TargetGroupArn": format!("{ELB}:targetgroup/web/73e2"), "TargetGroupName": "web",
        "VpcId": "vpc-1", "LoadBalancerArns": [format!("{ELB}:loadbalancer/app/web/50dc")],
        "TargetType": target_type, "TargetHealthDescriptions": described,
    })
}

#[test]
fn target_type_determines_the_uid_of_the_target() {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:api:live";
    let balancer = format!("{ELB}:loadbalancer/app/inside/77aa");
    for (target_type, target, to) in [
        (
            "instance",
            json!({"Id": "i-1", "Port": 80}),
            r#"ec2:instance/i-1 {"State":"unhealthy","Port":80,"#,
        ),
        (
            "ip",
            json!({"Id": "10.0.0.5", "Port": 80}),
            r#"ip://vpc-1/10.0.0.5 {"State":"unhealthy","Port":80,"#,
        ),
        (
            "ip",
            json!({"Id": "10.9.0.5", "AvailabilityZone": "all"}),
            r#"ext://10.9.0.5: {"State":"unhealthy","#,
        ),
        (
            "lambda",
            json!({"Id": function}),
            r#"lambda:function:api {"State":"unhealthy","#,
        ),
        (
            "alb",
            json!({"Id": balancer, "Port": 80}),
            r#"elasticloadbalancing:loadbalancer/app/inside/77aa {"State":"unhealthy","Port":80,"#,
        ),
    ] {
        let targets = format!(r#"TARGETS {to}"Reason":"Target.Timeout"}}"#);
        let edges = [
            "PART_OF ec2:vpc/vpc-1",
            "ATTACHED_TO elasticloadbalancing:loadbalancer/app/web/50dc",
            targets.as_str(),
        ];
        let item = group(target_type, &[target]);
        let uid = "elasticloadbalancing:targetgroup/web/73e2";
        check(
            &TargetGroup,
            &item,
            uid,
            &edges,
            &["id targetgroup/web/73e2", "name web"],
        );
    }
}

#[test]
fn target_with_several_ports_has_one_edge_whatever_the_order_of_the_list() {
    let ports = [80, 443].map(|port| json!({"Id": "i-1", "Port": port}));
    let one = resource(&TargetGroup, &group("instance", &ports)).unwrap();
    let [http, https] = ports;
    let other = resource(&TargetGroup, &group("instance", &[https, http])).unwrap();
    assert_eq!(one.relations, other.relations);
    assert_eq!(one.state(), other.state());
}
