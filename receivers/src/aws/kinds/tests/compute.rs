//! Instances, functions and volumes, and the launch templates and scaling groups of instances.

use serde_json::json;

use super::{check, configuration, resource};
use crate::aws::kinds::autoscaling_group::AutoScalingGroup;
use crate::aws::kinds::ec2_instance::Instance;
use crate::aws::kinds::ec2_launch_template::LaunchTemplate;
use crate::aws::kinds::ec2_volume::Volume;
use crate::aws::kinds::lambda_function::Function;

#[test]
fn instance_has_the_groups_of_all_its_interfaces() {
    let item = |state: &str| {
        json!({
            "InstanceId": "i-1", "State": {"Code": 16, "Name": state}, "OwnerId": "123456789012",
            "VpcId": "vpc-1", "SubnetId": "subnet-1",
            "PrivateIpAddress": "10.0.0.5", "PublicIpAddress": "198.51.100.1",
            "PrivateDnsName": "ip-10-0-0-5.ec2.internal", "PublicDnsName": "",
            "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "web"}],
            "NetworkInterfaces": [
                {"NetworkInterfaceId": "eni-1", "Groups": [{"GroupId": "sg-1"}]},
                {"NetworkInterfaceId": "eni-2", "Groups": [{"GroupId": "sg-2"}]},
            ],
            "IamInstanceProfile": {"Arn": "arn:aws:iam::123456789012:instance-profile/web", "Id": "AIPA1"},
            "Tags": [{"Key": "aws:autoscaling:groupName", "Value": "web/blue"}],
        })
    };
    let edges = [
        "PART_OF ec2:subnet/subnet-1",
        "SECURED_BY ec2:security-group/sg-1",
        "SECURED_BY ec2:security-group/sg-2",
        "ASSUMES arn:aws:iam::123456789012:instance-profile/web",
        "MEMBER_OF autoscaling:autoScalingGroup::autoScalingGroupName/web/blue",
    ];
    let aliases = [
        "id i-1",
        "host_id i-1",
        "ip 10.0.0.5 in vpc-1",
        "ip 198.51.100.1",
        "dns ip-10-0-0-5.ec2.internal in vpc-1",
    ];
    check(
        &Instance,
        &item("running"),
        "ec2:instance/i-1",
        &edges,
        &aliases,
    );
    assert!(resource(&Instance, &item("stopped")).is_some());
    assert_eq!(resource(&Instance, &item("terminated")), None);
}

#[test]
fn volume_has_edges_to_its_instance_and_its_key() {
    let item = json!({
        "VolumeId": "vol-1", "Encrypted": true,
        "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k-1",
        "Attachments": [{"InstanceId": "i-1", "Device": "/dev/sdf"}, {"AssociatedResource": "arn:aws:ecs:x"}],
    });
    let edges = ["ATTACHED_TO ec2:instance/i-1", "ENCRYPTED_BY kms:key/k-1"];
    check(&Volume, &item, "ec2:volume/vol-1", &edges, &["id vol-1"]);
}

#[test]
fn user_data_of_a_launch_template_is_redacted() {
    let item = json!({
        "LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "DefaultVersionNumber": 2,
        "LaunchTemplateData": {
            "ImageId": "ami-1", "UserData": "aHVudGVyMg==", "SecurityGroupIds": ["sg-1"],
            "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-1", "sg-2"]}],
            "IamInstanceProfile": {"Name": "web"},
        },
    });
    let edges = [
        "SECURED_BY ec2:security-group/sg-1",
        "SECURED_BY ec2:security-group/sg-2",
        "ASSUMES arn:aws:iam::123456789012:instance-profile/web",
    ];
    check(
        &LaunchTemplate,
        &item,
        "ec2:launch-template/lt-1",
        &edges,
        &["id lt-1", "name web"],
    );
    let data = configuration(&LaunchTemplate, &item)["LaunchTemplateData"].take();
    assert_eq!(data["UserData"], "[redacted]");
    assert_eq!(data["ImageId"], "ami-1");
}

#[test]
fn scaling_group_has_edges_to_its_templates_subnets_and_target_groups() {
    let arn =
        "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0f:autoScalingGroupName/web";
    let template =
        |id: &str| json!({"LaunchTemplateId": id, "LaunchTemplateName": "web", "Version": "1"});
    let item = json!({
        "AutoScalingGroupName": "web", "AutoScalingGroupARN": arn, "PredictedCapacity": 3,
        "VPCZoneIdentifier": "subnet-1,subnet-2",
        "MixedInstancesPolicy": {"LaunchTemplate": {
            "LaunchTemplateSpecification": template("lt-1"),
            "Overrides": [{"InstanceType": "t3.small"}, {"LaunchTemplateSpecification": template("lt-2")}],
        }},
        "TargetGroupARNs": ["arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1"],
        "Tags": [{"Key": "Name", "Value": "shop", "PropagateAtLaunch": true, "ResourceId": "web"}],
    });
    let edges = [
        "PART_OF ec2:subnet/subnet-1",
        "PART_OF ec2:subnet/subnet-2",
        "ATTACHED_TO ec2:launch-template/lt-1",
        "ATTACHED_TO ec2:launch-template/lt-2",
        "ATTACHED_TO elasticloadbalancing:targetgroup/web/1",
    ];
    let aliases = [
        "name shop",
        "id web",
        "name web",
        "same_as autoscaling:autoScalingGroup::autoScalingGroupName/web",
    ];
    let uid = "autoscaling:autoScalingGroup:0f:autoScalingGroupName/web";
    check(&AutoScalingGroup, &item, uid, &edges, &aliases);
    assert!(
        configuration(&AutoScalingGroup, &item)
            .get("PredictedCapacity")
            .is_none()
    );

    let item = json!({"AutoScalingGroupARN": arn, "LaunchTemplate": template("lt-3")});
    let edges = ["ATTACHED_TO ec2:launch-template/lt-3"];
    check(&AutoScalingGroup, &item, uid, &edges, &[]);
}

#[test]
fn environment_variables_of_a_function_are_redacted() {
    let item = json!({
        "FunctionName": "api", "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:api",
        "Role": "arn:aws:iam::123456789012:role/service/api",
        "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k-1",
        "Environment": {"Variables": {"DB_PASSWORD": "hunter2", "LEVEL": "info"}},
        "State": "Active", "Tags": {"team": "app", "Name": "shop-api"},
    });
    let edges = [
        "ASSUMES arn:aws:iam::123456789012:role/service/api",
        "SECURED_BY ec2:security-group/sg-1",
        "PART_OF ec2:subnet/subnet-1",
        "ENCRYPTED_BY kms:key/k-1",
    ];
    check(
        &Function,
        &item,
        "lambda:function:api",
        &edges,
        &["name shop-api", "id api", "name api"],
    );
    let configuration = configuration(&Function, &item);
    let variables = json!({"DB_PASSWORD": "[redacted]", "LEVEL": "[redacted]"});
    assert_eq!(configuration["Environment"]["Variables"], variables);
    assert!(configuration.get("State").is_none(), "the list lacks it");
}
