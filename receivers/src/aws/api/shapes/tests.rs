//! Decodes responses as AWS sends them.

use serde_json::{Value, json};

use super::decode::MalformedResponse;
use super::{ShapeTable, decode};

fn read(service: &str, operation: &str, body: &str) -> Value {
    decode(ShapeTable::of(service), operation, body.as_bytes()).unwrap()
}

#[test]
fn every_table_parses() {
    let services = [
        "autoscaling",
        "ec2",
        "elasticloadbalancing",
        "iam",
        "rds",
        "route53",
        "s3",
        "sts",
    ];
    for service in services {
        assert!(ShapeTable::of(service).is_some(), "{service}");
    }
}

#[test]
fn fields_have_the_names_and_types_of_the_api() {
    let body = r#"<?xml version="1.0"?>
      <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
        <requestId>8f7724cf</requestId>
        <reservationSet><item>
          <instancesSet><item>
            <instanceId>i-1</instanceId><ebsOptimized>false</ebsOptimized>
            <instanceState><code>16</code><name>running</name></instanceState>
            <groupSet><item><groupId>sg-1</groupId><groupName>web &amp; &#97;pi</groupName></item></groupSet>
            <tagSet/>
          </item></instancesSet>
        </item></reservationSet>
        <nextToken>more</nextToken>
      </DescribeInstancesResponse>"#;
    let instance = json!({
        "InstanceId": "i-1", "EbsOptimized": false, "State": {"Code": 16, "Name": "running"},
        "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "web & api"}], "Tags": [],
    });
    let read = read("ec2", "DescribeInstances", body);
    assert_eq!(read["Reservations"][0]["Instances"], json!([instance]));
    assert_eq!(read["NextToken"], "more");
}

#[test]
fn query_response_is_within_its_result_element() {
    let body = "<DescribeDBInstancesResponse><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata>\
      <DescribeDBInstancesResult><DBInstances><DBInstance><AllocatedStorage>20</AllocatedStorage>\
      <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>\
      </VpcSecurityGroupMembership></VpcSecurityGroups></DBInstance></DBInstances><Marker>m</Marker>\
      </DescribeDBInstancesResult></DescribeDBInstancesResponse>";
    let expected = json!({
        "DBInstances": [{"AllocatedStorage": 20, "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}]}],
        "Marker": "m",
    });
    assert_eq!(read("rds", "DescribeDBInstances", body), expected);
}

#[test]
fn unwrapped_lists_are_lists() {
    let body = "<NotificationConfiguration><QueueConfiguration><Queue>arn:q</Queue><Event>s3:a</Event>\
      <Event>s3:b</Event></QueueConfiguration></NotificationConfiguration>";
    let expected =
        json!({"QueueConfigurations": [{"QueueArn": "arn:q", "Events": ["s3:a", "s3:b"]}]});
    assert_eq!(
        read("s3", "GetBucketNotificationConfiguration", body),
        expected
    );
}

#[test]
fn response_may_be_a_single_field() {
    let policy = r#"{"Version": "2012-10-17"}"#;
    assert_eq!(
        read("s3", "GetBucketPolicy", policy),
        json!({"Policy": policy})
    );
    let body = "<?xml version='1.0'?><LocationConstraint>eu-west-1</LocationConstraint>";
    let expected = json!({"LocationConstraint": "eu-west-1"});
    assert_eq!(read("s3", "GetBucketLocation", body), expected);
    let body = "<ServerSideEncryptionConfiguration><Rule><BucketKeyEnabled>true</BucketKeyEnabled></Rule>\
      </ServerSideEncryptionConfiguration>";
    let expected =
        json!({"ServerSideEncryptionConfiguration": {"Rules": [{"BucketKeyEnabled": true}]}});
    assert_eq!(read("s3", "GetBucketEncryption", body), expected);
}

#[test]
fn fields_that_are_not_in_the_table_are_kept() {
    let body = "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId><state>melting</state>\
      <quantumSet><item><spin>up</spin></item><item><spin>down</spin></item></quantumSet></item></vpcSet>\
      </DescribeVpcsResponse>";
    let vpc = json!({"VpcId": "vpc-1", "State": "melting", "QuantumSet": [{"Spin": "up"}, {"Spin": "down"}]});
    assert_eq!(read("ec2", "DescribeVpcs", body), json!({"Vpcs": [vpc]}));
}

#[test]
fn json_response_is_returned_unchanged() {
    assert_eq!(
        read("kms", "ListKeys", r#"{"Keys": []}"#),
        json!({"Keys": []})
    );
}

#[test]
fn truncated_or_too_deep_xml_is_an_error_with_its_position() {
    let whole = "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>";
    for length in 0..whole.len() {
        let cut = decode(
            ShapeTable::of("ec2"),
            "DescribeVpcs",
            &whole.as_bytes()[..length],
        );
        let error = cut.unwrap_err();
        assert!(matches!(error, MalformedResponse::Xml { .. }), "{error}");
    }
    let deep = "<a>".repeat(10_000);
    let deep = format!("<DescribeVpcsResponse>{deep}");
    let error = decode(ShapeTable::of("ec2"), "DescribeVpcs", deep.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("too deep"), "{error}");
}
