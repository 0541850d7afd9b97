//! VPC, subnets, security groups and the load balancer.

use pipeline::schema::edges::kind;
use serde_json::{Value, json};

use super::names::{ACCOUNT, DemoNames, NODES, REGION};
use super::resource::{DemoResource, aws_tags};

pub(super) fn vpc(names: DemoNames) -> DemoResource {
    let id = names.ec2("vpc", "shop");
    DemoResource {
        aliases: vec![("id", id.clone())],
        configuration: json!({
            "VpcId": id,
            "CidrBlock": "10.0.0.0/16",
            "State": "available",
            "IsDefault": false,
            "OwnerId": ACCOUNT,
            "Tags": aws_tags("shop", "platform"),
        }),
        ..DemoResource::aws("AWS::EC2::VPC", names.vpc(), "shop", "platform")
    }
}

pub(super) fn subnets(names: DemoNames) -> Vec<DemoResource> {
    let zones = ['a', 'b'].into_iter().enumerate();
    let subnet = |(number, zone): (usize, char)| {
        let id = names.ec2("subnet", &zone.to_string());
        let name = format!("shop-{zone}");
        DemoResource {
            relations: vec![(kind::PART_OF, names.vpc())],
            aliases: vec![("id", id.clone())],
            configuration: json!({
                "SubnetId": id,
                "SubnetArn": names.subnet(zone),
                "VpcId": names.ec2("vpc", "shop"),
                "AvailabilityZone": format!("{REGION}{zone}"),
                "CidrBlock": format!("10.0.{}.0/24", number + 1),
                "State": "available",
                "OwnerId": ACCOUNT,
                "Tags": aws_tags(&name, "platform"),
            }),
            ..DemoResource::aws("AWS::EC2::Subnet", names.subnet(zone), &name, "platform")
        }
    };
    zones.map(subnet).collect()
}

/// `open`: whether the database's group allows traffic from the world.
pub(super) fn security_groups(names: DemoNames, open: bool) -> Vec<DemoResource> {
    let mut database = vec![from_group(names, 5432, "sg-services")];
    if open {
        database.push(from_world(5432, ""));
    }
    vec![
        security_group(names, "sg-frontend", None, &[from_world(443, "the shop")]),
        security_group(
            names,
            "sg-services",
            Some("sg-frontend"),
            &[from_group(names, 8080, "sg-frontend")],
        ),
        security_group(names, "sg-database", Some("sg-services"), &database),
    ]
}

fn security_group(
    names: DemoNames,
    name: &str,
    allows: Option<&str>,
    permissions: &[Value],
) -> DemoResource {
    let id = names.ec2("sg", name);
    let mut relations = vec![(kind::PART_OF, names.vpc())];
    relations.extend(allows.map(|from| (kind::ALLOWS_TRAFFIC_FROM, names.security_group(from))));
    DemoResource {
        relations,
        aliases: vec![("id", id.clone()), ("name", name.to_owned())],
        configuration: json!({
            "GroupId": id,
            "GroupName": name,
            "SecurityGroupArn": names.security_group(name),
            "Description": name,
            "VpcId": names.ec2("vpc", "shop"),
            "OwnerId": ACCOUNT,
            "IpPermissions": permissions,
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
            "Tags": aws_tags(name, "platform"),
        }),
        ..DemoResource::aws(
            "AWS::EC2::SecurityGroup",
            names.security_group(name),
            name,
            "platform",
        )
    }
}

fn from_group(names: DemoNames, port: u16, group: &str) -> Value {
    json!({
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
        "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [],
        "UserIdGroupPairs": [{"GroupId": names.ec2("sg", group), "UserId": ACCOUNT}],
    })
}

fn from_world(port: u16, description: &str) -> Value {
    let mut range = json!({"CidrIp": "0.0.0.0/0"});
    if !description.is_empty() {
        range["Description"] = description.into();
    }
    json!({
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
        "IpRanges": [range], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [],
    })
}

pub(super) fn load_balancer(names: DemoNames) -> DemoResource {
    let dns = names.load_balancer_dns();
    let mut relations = vec![
        (kind::SECURED_BY, names.security_group("sg-frontend")),
        (kind::PART_OF, names.subnet('a')),
        (kind::PART_OF, names.subnet('b')),
    ];
    relations
        .extend((0..NODES).map(|node| (kind::TARGETS, names.instance(&DemoNames::node(node)))));
    let zones = ['a', 'b'].map(|zone| {
        json!({
            "ZoneName": format!("{REGION}{zone}"),
            "SubnetId": names.ec2("subnet", &zone.to_string()),
        })
    });
    DemoResource {
        relations,
        aliases: vec![("name", "shop".to_owned()), ("dns", dns.clone())],
        configuration: json!({
            "LoadBalancerArn": names.load_balancer(),
            "LoadBalancerName": "shop",
            "DNSName": dns,
            "Type": "application",
            "Scheme": "internet-facing",
            "State": {"Code": "active"},
            "VpcId": names.ec2("vpc", "shop"),
            "SecurityGroups": [names.ec2("sg", "sg-frontend")],
            "AvailabilityZones": zones,
        }),
        ..DemoResource::aws(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            names.load_balancer(),
            "shop",
            "storefront",
        )
    }
}
