//! VPCs and their networking resources.

use serde_json::json;

use super::{check, configuration, resource};
use crate::aws::kinds::ec2_elastic_ip::ElasticIp;
use crate::aws::kinds::ec2_internet_gateway::InternetGateway;
use crate::aws::kinds::ec2_nat_gateway::NatGateway;
use crate::aws::kinds::ec2_network_interface::NetworkInterface;
use crate::aws::kinds::ec2_route_table::RouteTable;
use crate::aws::kinds::ec2_security_group::SecurityGroup;
use crate::aws::kinds::ec2_security_group_rule::SecurityGroupRule;
use crate::aws::kinds::ec2_subnet::Subnet;
use crate::aws::kinds::ec2_vpc::Vpc;

#[test]
fn vpc_has_the_name_in_its_name_tag() {
    let item = json!({
        "VpcId": "vpc-1", "OwnerId": "123456789012", "CidrBlock": "10.0.0.0/16",
        "Tags": [{"Key": "Name", "Value": "main"}],
    });
    check(
        &Vpc,
        &item,
        "ec2:vpc/vpc-1",
        &[],
        &["name main", "id vpc-1"],
    );
}

#[test]
fn shared_resource_has_the_arn_in_its_owners_account_and_an_alias_in_the_scanned_account() {
    let item = json!({"VpcId": "vpc-1", "OwnerId": "210987654321"});
    let uid = "arn:aws:ec2:us-east-1:210987654321:vpc/vpc-1";
    check(
        &Vpc,
        &item,
        uid,
        &[],
        &["same_as ec2:vpc/vpc-1", "id vpc-1"],
    );
    assert_eq!(resource(&Vpc, &item).unwrap().account, "210987654321");
}

#[test]
fn subnet_is_part_of_its_vpc_and_does_not_change_with_the_number_of_free_addresses() {
    let item = |free: i64| json!({"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailableIpAddressCount": free});
    check(
        &Subnet,
        &item(250),
        "ec2:subnet/subnet-1",
        &["PART_OF ec2:vpc/vpc-1"],
        &["id subnet-1"],
    );
    assert_eq!(resource(&Subnet, &item(250)), resource(&Subnet, &item(249)));
}

#[test]
fn route_table_routes_to_the_targets_of_its_routes() {
    let item = json!({
        "RouteTableId": "rtb-1", "VpcId": "vpc-1",
        "Associations": [
            {"Main": true, "RouteTableAssociationId": "rtbassoc-1"},
            {"Main": false, "SubnetId": "subnet-1"},
            {"Main": false, "GatewayId": "igw-1"},
        ],
        "Routes": [
            {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"},
            {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1"},
            {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"},
            {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"},
            {"DestinationCidrBlock": "10.1.0.0/16", "NatGatewayId": "nat-1"},
            {"DestinationCidrBlock": "10.2.0.0/16", "InstanceId": "i-1", "NetworkInterfaceId": "eni-1"},
            {"DestinationCidrBlock": "10.3.0.0/16", "TransitGatewayId": "tgw-1"},
            {"DestinationCidrBlock": "10.4.0.0/16", "VpcPeeringConnectionId": "pcx-1"},
            {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"},
            {"DestinationCidrBlock": "10.5.0.0/16", "GatewayId": "vgw-1"},
        ],
    });
    let edges = [
        "PART_OF ec2:vpc/vpc-1",
        "ATTACHED_TO ec2:subnet/subnet-1",
        "ATTACHED_TO ec2:internet-gateway/igw-1",
        r#"ROUTES_TO ec2:internet-gateway/igw-1 {"Destinations":["0.0.0.0/0","::/0"]}"#,
        r#"ROUTES_TO ec2:vpc-endpoint/vpce-1 {"Destinations":["pl-1"]}"#,
        r#"ROUTES_TO ec2:natgateway/nat-1 {"Destinations":["10.1.0.0/16"]}"#,
        r#"ROUTES_TO ec2:network-interface/eni-1 {"Destinations":["10.2.0.0/16"]}"#,
        r#"ROUTES_TO ec2:instance/i-1 {"Destinations":["10.2.0.0/16"]}"#,
        r#"ROUTES_TO ec2:transit-gateway/tgw-1 {"Destinations":["10.3.0.0/16"]}"#,
        r#"ROUTES_TO ec2:vpc-peering-connection/pcx-1 {"Destinations":["10.4.0.0/16"]}"#,
        r#"ROUTES_TO ec2:egress-only-internet-gateway/eigw-1 {"Destinations":["::/0"]}"#,
        r#"ROUTES_TO ec2:vpn-gateway/vgw-1 {"Destinations":["10.5.0.0/16"]}"#,
    ];
    check(
        &RouteTable,
        &item,
        "ec2:route-table/rtb-1",
        &edges,
        &["id rtb-1"],
    );
}

#[test]
fn main_route_table_is_attached_to_the_subnets_that_no_table_names() {
    let item = json!({
        "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true}],
        "OtherSubnets": ["subnet-1"],
    });
    let edges = [
        "PART_OF ec2:vpc/vpc-1",
        r#"ATTACHED_TO ec2:subnet/subnet-1 {"Main":true}"#,
    ];
    check(
        &RouteTable,
        &item,
        "ec2:route-table/rtb-1",
        &edges,
        &["id rtb-1"],
    );
    assert!(configuration(&RouteTable, &item)["OtherSubnets"].is_null());
}

#[test]
fn internet_gateway_is_attached_to_its_vpc_and_nat_gateway_to_its_addresses() {
    let item = json!({
        "InternetGatewayId": "igw-1", "Attachments": [{"State": "available", "VpcId": "vpc-1"}],
    });
    let edges = ["ATTACHED_TO ec2:vpc/vpc-1"];
    check(
        &InternetGateway,
        &item,
        "ec2:internet-gateway/igw-1",
        &edges,
        &["id igw-1"],
    );

    let address = json!({
        "AllocationId": "eipalloc-1", "NetworkInterfaceId": "eni-1", "PrivateIp": "10.0.0.4",
        "PublicIp": "198.51.100.1",
    });
    let item = |state: &str| {
        json!({
            "NatGatewayId": "nat-1", "SubnetId": "subnet-1", "State": state,
            "NatGatewayAddresses": [&address],
        })
    };
    let edges = [
        "PART_OF ec2:subnet/subnet-1",
        "ATTACHED_TO ec2:elastic-ip/eipalloc-1",
        "ATTACHED_TO ec2:network-interface/eni-1",
    ];
    let aliases = ["id nat-1", "ip 198.51.100.1"];
    check(
        &NatGateway,
        &item("available"),
        "ec2:natgateway/nat-1",
        &edges,
        &aliases,
    );
    assert_eq!(resource(&NatGateway, &item("deleted")), None);
}

#[test]
fn security_group_allows_traffic_from_the_groups_in_its_ingress_rules() {
    let from = |group: &str, protocol: &str, first: i64, last: i64| {
        json!({
            "IpProtocol": protocol, "FromPort": first, "ToPort": last,
            "UserIdGroupPairs": [{"GroupId": group, "UserId": "123456789012"}],
        })
    };
    let item = json!({
        "GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1",
        "IpPermissions": [
            from("sg-2", "tcp", 8443, 8443),
            from("sg-2", "tcp", 80, 90),
            from("sg-3", "icmp", -1, -1),
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]},
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-9", "UserId": "210987654321"}]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        ],
        "IpPermissionsEgress": [from("sg-4", "tcp", 1, 2)],
    });
    let edges = [
        "PART_OF ec2:vpc/vpc-1",
        r#"ALLOWS_TRAFFIC_FROM ec2:security-group/sg-2 {"Ports":["tcp/80-90","tcp/8443"]}"#,
        r#"ALLOWS_TRAFFIC_FROM ec2:security-group/sg-3 {"Ports":["icmp"]}"#,
        r#"ALLOWS_TRAFFIC_FROM ec2:security-group/sg-1 {"Ports":["all"]}"#,
        r#"ALLOWS_TRAFFIC_FROM arn:aws:ec2:us-east-1:210987654321:security-group/sg-9 {"Ports":["all"]}"#,
    ];
    check(
        &SecurityGroup,
        &item,
        "ec2:security-group/sg-1",
        &edges,
        &["id sg-1", "name web"],
    );
}

#[test]
fn ingress_rule_has_an_edge_to_its_peer_and_egress_rule_has_none() {
    let part = "PART_OF ec2:security-group/sg-1";
    for (peer, allowed) in [
        (
            json!({"CidrIpv4": "10.0.0.0/8"}),
            Some("ext://10.0.0.0%2F8:"),
        ),
        (json!({"CidrIpv6": "::/0"}), Some("ext://[::/0]:")),
        (
            json!({"PrefixListId": "pl-1"}),
            Some("ec2:prefix-list/pl-1"),
        ),
        (
            json!({"ReferencedGroupInfo": {"GroupId": "sg-2", "UserId": "123456789012"}}),
            Some("ec2:security-group/sg-2"),
        ),
        (json!({"CidrIpv4": "10.0.0.0/8", "IsEgress": true}), None),
    ] {
        let mut item = json!({
            "SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "GroupOwnerId": "123456789012",
            "IsEgress": false, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
            "SecurityGroupRuleArn": "arn:aws:ec2:us-east-1:123456789012:security-group-rule/sgr-1",
        });
        item.as_object_mut()
            .unwrap()
            .extend(peer.as_object().unwrap().clone());
        let allowed = allowed.map(|from| format!("ALLOWS_TRAFFIC_FROM {from}"));
        let edges: Vec<&str> = [part].into_iter().chain(allowed.as_deref()).collect();
        check(
            &SecurityGroupRule,
            &item,
            "ec2:security-group-rule/sgr-1",
            &edges,
            &["id sgr-1"],
        );
    }
}

#[test]
fn interface_has_aliases_of_all_its_addresses() {
    let item = json!({
        "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1",
        "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}],
        "Attachment": {"InstanceId": "i-1", "DeviceIndex": 0},
        "Association": {"PublicIp": "198.51.100.1"},
        "PrivateIpAddress": "10.0.0.5",
        "PrivateIpAddresses": [
            {"Primary": true, "PrivateIpAddress": "10.0.0.5", "Association": {"PublicIp": "198.51.100.1"}},
            {"Primary": false, "PrivateIpAddress": "10.0.0.6", "Association": {"PublicIp": "198.51.100.2"}},
        ],
        "Ipv6Addresses": [{"Ipv6Address": "2001:db8::5"}],
        "TagSet": [{"Key": "Name", "Value": "web"}],
    });
    let edges = [
        "PART_OF ec2:subnet/subnet-1",
        "SECURED_BY ec2:security-group/sg-1",
        "SECURED_BY ec2:security-group/sg-2",
        "ATTACHED_TO ec2:instance/i-1",
    ];
    let aliases = [
        "name web",
        "id eni-1",
        "interface_ip 10.0.0.5 in vpc-1",
        "same_as ip://vpc-1/10.0.0.5",
        "interface_ip 10.0.0.6 in vpc-1",
        "same_as ip://vpc-1/10.0.0.6",
        "interface_ip 2001:db8::5 in vpc-1",
        "same_as ip://vpc-1/2001:db8::5",
        "interface_ip 198.51.100.1",
        "interface_ip 198.51.100.2",
    ];
    check(
        &NetworkInterface,
        &item,
        "ec2:network-interface/eni-1",
        &edges,
        &aliases,
    );
}

#[test]
fn elastic_ip_has_aliases_of_its_public_address() {
    let item = json!({
        "AllocationId": "eipalloc-1", "PublicIp": "198.51.100.1", "InstanceId": "",
        "NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.5",
    });
    let edges = ["ATTACHED_TO ec2:network-interface/eni-1"];
    let aliases = [
        "id eipalloc-1",
        "reserved_ip 198.51.100.1",
        "same_as ext://198.51.100.1:",
    ];
    check(
        &ElasticIp,
        &item,
        "ec2:elastic-ip/eipalloc-1",
        &edges,
        &aliases,
    );
}
