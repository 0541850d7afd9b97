//! Databases, buckets and keys.

use serde_json::json;

use super::{check, configuration, resource};
use crate::aws::kinds::kms_key::Key;
use crate::aws::kinds::rds_cluster::DbCluster;
use crate::aws::kinds::rds_instance::DbInstance;
use crate::aws::kinds::rds_subnet_group::DbSubnetGroup;
use crate::aws::kinds::s3_bucket::Bucket;

#[test]
fn database_has_aliases_of_its_endpoint() {
    let item = json!({
        "DBInstanceIdentifier": "main", "DBInstanceArn": "arn:aws:rds:us-east-1:123456789012:db:main",
        "Endpoint": {"Address": "main.abc.us-east-1.rds.amazonaws.com", "Port": 5432},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
        "DBSubnetGroup": {"DBSubnetGroupName": "private"}, "DBClusterIdentifier": "orders",
        "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k-1",
        "ReadReplicaSourceDBInstanceIdentifier": "old",
        "TagList": [{"Key": "Name", "Value": "orders"}],
    });
    let edges = [
        "SECURED_BY ec2:security-group/sg-1",
        "PART_OF rds:subgrp:private",
        "ENCRYPTED_BY kms:key/k-1",
        "MEMBER_OF rds:cluster:orders",
        r#"ATTACHED_TO rds:db:old {"Role":"replica"}"#,
    ];
    let aliases = [
        "name orders",
        "id main",
        "name main",
        "dns main.abc.us-east-1.rds.amazonaws.com",
        "same_as ext://main.abc.us-east-1.rds.amazonaws.com:",
        "same_as ext://main.abc.us-east-1.rds.amazonaws.com:5432",
    ];
    check(&DbInstance, &item, "rds:db:main", &edges, &aliases);
}

#[test]
fn database_is_part_of_one_subnet_of_its_group_per_zone() {
    let subnet = |id: &str, zone: &str| json!({"SubnetIdentifier": id, "SubnetAvailabilityZone": {"Name": zone}});
    let subnets = [
        subnet("subnet-1", "us-east-1a"),
        subnet("subnet-2", "us-east-1b"),
        subnet("subnet-3", "us-east-1b"),
        subnet("subnet-4", "us-east-1c"),
    ];
    let item = json!({
        "DBInstanceArn": "arn:aws:rds:us-east-1:123456789012:db:main",
        "AvailabilityZone": "us-east-1a", "SecondaryAvailabilityZone": "us-east-1b",
        "DBSubnetGroup": {"DBSubnetGroupName": "private", "Subnets": subnets},
    });
    let edges = [
        "PART_OF rds:subgrp:private",
        "PART_OF ec2:subnet/subnet-1",
        "PART_OF ec2:subnet/subnet-2 0.5",
        "PART_OF ec2:subnet/subnet-3 0.5",
    ];
    check(&DbInstance, &item, "rds:db:main", &edges, &[]);
}

#[test]
fn replica_references_its_source_in_another_region_by_arn() {
    let source = "arn:aws:rds:eu-west-1:123456789012:db:main";
    let item = json!({
        "DBInstanceArn": "arn:aws:rds:us-east-1:123456789012:db:copy",
        "ReadReplicaSourceDBInstanceIdentifier": source,
    });
    let edge = format!(r#"ATTACHED_TO {source} {{"Role":"replica"}}"#);
    check(&DbInstance, &item, "rds:db:copy", &[&edge], &[]);
}

#[test]
fn backups_do_not_change_a_database() {
    let at = |time: &str| {
        json!({
            "DBInstanceArn": "arn:aws:rds:us-east-1:123456789012:db:main", "LatestRestorableTime": time,
            "DBClusterArn": "arn:aws:rds:us-east-1:123456789012:cluster:main", "EarliestRestorableTime": time,
        })
    };
    let (one, other) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:05:00Z"));
    let state = |item| resource(&DbCluster, item).unwrap().state();
    assert_eq!(state(&one), state(&other));
    let configuration = configuration(&DbInstance, &one);
    assert!(
        configuration.get("LatestRestorableTime").is_none(),
        "{configuration}"
    );
}

#[test]
fn cluster_has_aliases_of_both_endpoints() {
    let item = json!({
        "DBClusterIdentifier": "orders", "DBClusterArn": "arn:aws:rds:us-east-1:123456789012:cluster:orders",
        "DBSubnetGroup": "private", "Port": 3306, "Endpoint": "rw.example", "ReaderEndpoint": "ro.example",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}], "KmsKeyId": "k-1",
    });
    let edges = [
        "SECURED_BY ec2:security-group/sg-1",
        "PART_OF rds:subgrp:private",
        "ENCRYPTED_BY kms:key/k-1",
    ];
    let aliases = [
        "id orders",
        "name orders",
        "dns rw.example",
        "same_as ext://rw.example:",
        "same_as ext://rw.example:3306",
        "dns ro.example",
        "same_as ext://ro.example:",
        "same_as ext://ro.example:3306",
    ];
    check(&DbCluster, &item, "rds:cluster:orders", &edges, &aliases);
}

#[test]
fn subnet_group_contains_its_subnets() {
    let item = json!({
        "DBSubnetGroupName": "private", "VpcId": "vpc-1",
        "DBSubnetGroupArn": "arn:aws:rds:us-east-1:123456789012:subgrp:private",
        "Subnets": [{"SubnetIdentifier": "subnet-1"}, {"SubnetIdentifier": "subnet-2"}],
    });
    let edges = [
        "PART_OF ec2:vpc/vpc-1",
        "CONTAINS ec2:subnet/subnet-1",
        "CONTAINS ec2:subnet/subnet-2",
    ];
    check(
        &DbSubnetGroup,
        &item,
        "rds:subgrp:private",
        &edges,
        &["id private", "name private"],
    );
}

#[test]
fn bucket_has_its_own_region_and_routes_to_the_targets_of_its_events() {
    let queue = "arn:aws:sqs:eu-west-1:123456789012:uploads";
    let function = "arn:aws:lambda:us-east-1:123456789012:function:thumbnails";
    let item = json!({
        "Name": "uploads", "BucketRegion": "eu-west-1",
        "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k-1",
        }}]},
        "NotificationConfiguration": {
            "QueueConfigurations": [
                {"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]},
                {"QueueArn": queue, "Events": ["s3:ObjectRemoved:*", "s3:ObjectCreated:*"]},
            ],
            "TopicConfigurations": [{"TopicArn": "arn:aws:sns:eu-west-1:1:t", "Events": ["s3:Replication:*"]}],
            "LambdaFunctionConfigurations": [
                {"LambdaFunctionArn": format!("{function}:live"), "Events": ["s3:ObjectCreated:Put"]},
            ],
        },
        "TagSet": [{"Key": "team", "Value": "web"}],
    });
    let to_queue =
        format!(r#"ROUTES_TO {queue} {{"Events":["s3:ObjectCreated:*","s3:ObjectRemoved:*"]}}"#);
    let edges = [
        "ENCRYPTED_BY arn:aws:kms:eu-west-1:123456789012:key/k-1",
        r#"ROUTES_TO arn:aws:sns:eu-west-1:1:t {"Events":["s3:Replication:*"]}"#,
        &to_queue,
        r#"ROUTES_TO lambda:function:thumbnails {"Events":["s3:ObjectCreated:Put"]}"#,
    ];
    check(
        &Bucket,
        &item,
        "arn:aws:s3:::uploads",
        &edges,
        &["id uploads", "name uploads"],
    );
    assert_eq!(
        resource(&Bucket, &item).unwrap().region.as_deref(),
        Some("eu-west-1")
    );
}

#[test]
fn kms_aliases_of_a_key_are_its_names_and_other_uids() {
    let alias = |name: &str| {
        json!({
            "AliasName": name, "TargetKeyId": "k-1",
            "AliasArn": format!("arn:aws:kms:us-east-1:123456789012:{name}"),
        })
    };
    let item = json!({
        "KeyId": "k-1", "KeyArn": "arn:aws:kms:us-east-1:123456789012:key/k-1",
        "KeyMetadata": {"KeyState": "Enabled"}, "KeyRotationEnabled": true,
        "Aliases": [alias("alias/rds"), alias("alias/databases")],
        "Tags": [{"TagKey": "team", "TagValue": "data"}],
    });
    let aliases = [
        "id k-1",
        "name alias/databases",
        "same_as kms:alias/databases",
        "name alias/rds",
        "same_as kms:alias/rds",
    ];
    check(&Key, &item, "kms:key/k-1", &[], &aliases);
    assert_eq!(
        resource(&Key, &item).unwrap().name.as_deref(),
        Some("alias/databases")
    );
}
