//! The kind of a uid.

use std::collections::BTreeSet;

use crate::aws::kinds::ALL;
use crate::aws::listing::kind_of_uid;

#[test]
fn arn_determines_kind_account_and_region() {
    let elb = "AWS::ElasticLoadBalancingV2";
    let mut seen = BTreeSet::new();
    for (service, resource, kind) in [
        ("ec2", "vpc/vpc-1", "AWS::EC2::VPC"),
        ("ec2", "subnet/subnet-1", "AWS::EC2::Subnet"),
        ("ec2", "route-table/rtb-1", "AWS::EC2::RouteTable"),
        ("ec2", "internet-gateway/igw-1", "AWS::EC2::InternetGateway"),
        ("ec2", "natgateway/nat-1", "AWS::EC2::NatGateway"),
        ("ec2", "security-group/sg-1", "AWS::EC2::SecurityGroup"),
        (
            "ec2",
            "security-group-rule/sgr-1",
            "AWS::EC2::SecurityGroupRule",
        ),
        (
            "ec2",
            "network-interface/eni-1",
            "AWS::EC2::NetworkInterface",
        ),
        ("ec2", "elastic-ip/eipalloc-1", "AWS::EC2::EIP"),
        ("ec2", "instance/i-1", "AWS::EC2::Instance"),
        ("ec2", "volume/vol-1", "AWS::EC2::Volume"),
        ("ec2", "launch-template/lt-1", "AWS::EC2::LaunchTemplate"),
        (
            "autoscaling",
            "autoScalingGroup:0f:autoScalingGroupName/a/b",
            "AWS::AutoScaling::AutoScalingGroup",
        ),
        (
            "autoscaling",
            "autoScalingGroup::autoScalingGroupName/a",
            "AWS::AutoScaling::AutoScalingGroup",
        ),
        (
            "elasticloadbalancing",
            "loadbalancer/app/web/50dc",
            &format!("{elb}::LoadBalancer"),
        ),
        (
            "elasticloadbalancing",
            "listener/net/web/50dc/f2f7",
            &format!("{elb}::Listener"),
        ),
        (
            "elasticloadbalancing",
            "targetgroup/web/73e2",
            &format!("{elb}::TargetGroup"),
        ),
        ("rds", "db:main", "AWS::RDS::DBInstance"),
        ("rds", "cluster:main", "AWS::RDS::DBCluster"),
        ("rds", "subgrp:main", "AWS::RDS::DBSubnetGroup"),
        ("lambda", "function:api", "AWS::Lambda::Function"),
        ("kms", "key/k-1", "AWS::KMS::Key"),
    ] {
        let uid = format!("arn:aws:{service}:eu-west-1:123456789012:{resource}");
        let (found, account, region) = kind_of_uid(ALL, &uid).unwrap_or_else(|| panic!("{uid}"));
        assert_eq!(
            (found.name(), account, region),
            (kind, "123456789012", "eu-west-1")
        );
        seen.insert(found.name());
    }
    for (uid, kind, account) in [
        ("arn:aws-cn:s3:::a.bucket", "AWS::S3::Bucket", ""),
        (
            "arn:aws:iam::123456789012:role/service/api",
            "AWS::IAM::Role",
            "123456789012",
        ),
        (
            "arn:aws:iam::123456789012:instance-profile/api",
            "AWS::IAM::InstanceProfile",
            "123456789012",
        ),
        (
            "arn:aws:route53:::hostedzone/Z1",
            "AWS::Route53::HostedZone",
            "",
        ),
        (
            "arn:aws:route53:::hostedzone/Z1/recordset/a/A/blue/1",
            "AWS::Route53::RecordSet",
            "",
        ),
    ] {
        let (found, of_account, region) = kind_of_uid(ALL, uid).unwrap_or_else(|| panic!("{uid}"));
        assert_eq!((found.name(), of_account, region), (kind, account, ""));
        seen.insert(found.name());
    }
    assert_eq!(seen, ALL.iter().map(|kind| kind.name()).collect());
}

#[test]
fn uid_that_no_pattern_matches_has_no_kind() {
    for uid in [
        "svc:////cart",
        "arn:aws:ec2",
        "arn:aws:ec2:eu-west-1:1:vpc/",
        "arn:aws:ec2:eu-west-1:1:vpc/vpc-1/more",
        "arn:aws:ec2:eu-west-1:1:transit-gateway/tgw-1",
        "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/classic",
        "arn:aws:lambda:eu-west-1:1:function:api:live",
        "arn:aws:rds:eu-west-1:1:cluster-snapshot:main",
        "arn:aws:s3:::bucket/object",
        "arn:aws:kms:eu-west-1:1:alias/key",
    ] {
        assert_eq!(
            kind_of_uid(ALL, uid).map(|(kind, ..)| kind.name()),
            None,
            "{uid}"
        );
    }
}
