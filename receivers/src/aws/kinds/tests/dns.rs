//! Hosted zones, and the hosts to which their records point.

use serde_json::{Value as Json, json};

use super::{account_region, check};
use crate::aws::kinds::route53_hosted_zone::HostedZone;
use crate::aws::kinds::route53_record_set::RecordSet;
use crate::aws::listing::{ResourceKind, ScanPhase};

#[test]
fn private_zone_is_attached_to_its_vpcs_in_all_regions() {
    let item = json!({
        "Id": "/hostedzone/Z1", "Name": "internal.example.com.", "Config": {"PrivateZone": true},
        "VPCs": [
            {"VPCRegion": "us-east-1", "VPCId": "vpc-1"}, {"VPCRegion": "eu-west-1", "VPCId": "vpc-2"},
        ],
        "Tags": [{"Key": "team", "Value": "platform"}],
    });
    let edges = [
        "ATTACHED_TO ec2:vpc/vpc-1",
        "ATTACHED_TO arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-2",
    ];
    let uid = "arn:aws:route53:::hostedzone/Z1";
    check(
        &HostedZone,
        &item,
        uid,
        &edges,
        &["id Z1", "name internal.example.com"],
    );
}

#[test]
fn record_points_to_hosts_by_their_normalized_names() {
    let values = |values: &[&str]| -> Json {
        let values: Vec<_> = values.iter().map(|value| json!({"Value": value})).collect();
        json!({"TTL": 60, "ResourceRecords": values})
    };
    let alias = json!({"AliasTarget": {"DNSName": "dualstack.Web-1.elb.amazonaws.com.", "HostedZoneId": "Z9"}});
    for (name, of_type, values, id, hosts) in [
        (
            "example.com.",
            "A",
            alias,
            "example.com/A",
            &["web-1.elb.amazonaws.com"][..],
        ),
        (
            "WWW.example.com",
            "CNAME",
            values(&["Example.com."]),
            "www.example.com/CNAME",
            &["example.com"],
        ),
        (
            r"\052.example.com.",
            "A",
            values(&["192.0.2.1", "192.0.2.2"]),
            "*.example.com/A",
            &["192.0.2.1", "192.0.2.2"],
        ),
        (
            "six.example.com.",
            "AAAA",
            values(&["2001:db8::5"]),
            "six.example.com/AAAA",
            &["[2001:db8::5]"],
        ),
        (
            "example.com.",
            "MX",
            values(&["10 mail.example.net"]),
            "example.com/MX",
            &[],
        ),
    ] {
        let mut item = json!({"HostedZoneId": "Z1", "Name": name, "Type": of_type});
        item.as_object_mut()
            .unwrap()
            .extend(values.as_object().unwrap().clone());
        let uid = format!("arn:aws:route53:::hostedzone/Z1/recordset/{id}");
        let part = "PART_OF arn:aws:route53:::hostedzone/Z1".to_owned();
        let points = hosts
            .iter()
            .map(|host| format!("DNS_POINTS_TO ext://{host}:"));
        let edges: Vec<String> = [part].into_iter().chain(points).collect();
        let host = id.split('/').next().unwrap();
        let dns = format!("dns {host}");
        let aliases = [format!("id {id} in Z1"), format!("name {host}")];
        let aliases = aliases
            .iter()
            .map(String::as_str)
            .chain((of_type != "MX").then_some(&*dns));
        let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
        check(
            &RecordSet,
            &item,
            &uid,
            &edges,
            &aliases.collect::<Vec<_>>(),
        );
    }
}

#[test]
fn uid_of_a_record_ends_with_its_set_identifier() {
    let item = json!({
        "HostedZoneId": "Z1", "Name": "api.example.com.", "Type": "A", "SetIdentifier": "blue/1", "Weight": 9,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    });
    let uid = "arn:aws:route53:::hostedzone/Z1/recordset/api.example.com/A/blue/1";
    let edges = [
        "PART_OF arn:aws:route53:::hostedzone/Z1",
        "DNS_POINTS_TO ext://192.0.2.1:",
    ];
    let aliases = [
        "id api.example.com/A/blue/1 in Z1",
        "name api.example.com",
        "dns api.example.com",
    ];
    check(&RecordSet, &item, uid, &edges, &aliases);
}

#[test]
fn zone_references_a_shared_vpc_by_the_arn_in_the_owners_account() {
    let (at, vpc) = (
        account_region(),
        "arn:aws:ec2:eu-west-1:210987654321:vpc/vpc-1",
    );
    at.owners.record(vpc);
    let item = json!({
        "Id": "/hostedzone/Z1", "Name": "internal.", "VPCs": [{"VPCRegion": "eu-west-1", "VPCId": "vpc-1"}],
    });
    let zone = HostedZone.draft(&item, &at).unwrap();
    let zone = zone.finish(HostedZone.name(), &at, true);
    assert_eq!(zone.relations[0].uid, vpc);
    assert_eq!(
        HostedZone.phase(),
        ScanPhase::Last,
        "after the scan that records the owners of VPCs"
    );
}
