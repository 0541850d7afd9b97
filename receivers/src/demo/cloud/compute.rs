//! The instances: Kubernetes nodes, and a connection pooler of the database.

use pipeline::schema::aliases::kind as alias;
use pipeline::schema::edges::kind;
use serde_json::json;

use super::names::{DemoNames, NODES, REGION};
use super::resource::{DemoResource, aws_tags};

pub(super) fn instances(names: DemoNames) -> Vec<DemoResource> {
    let node = |number: usize| Machine {
        name: DemoNames::node(number),
        team: "platform",
        size: "m7g.large",
        group: "sg-services",
        zone: DemoNames::node_zone(number),
        ip: DemoNames::node_ip(number),
    };
    let proxy = Machine {
        name: "db-proxy".to_owned(),
        team: "data",
        size: "t4g.small",
        group: "sg-database",
        zone: 'a',
        ip: "10.0.1.40".to_owned(),
    };
    let machines = (0..NODES).map(node).chain([proxy]);
    machines.map(|machine| machine.to_resource(names)).collect()
}

struct Machine {
    name: String,
    team: &'static str,
    size: &'static str,
    group: &'static str,
    zone: char,
    ip: String,
}

impl Machine {
    fn to_resource(&self, names: DemoNames) -> DemoResource {
        let id = names.ec2("i", &self.name);
        DemoResource {
            relations: vec![
                (kind::SECURED_BY, names.security_group(self.group)),
                (kind::PART_OF, names.subnet(self.zone)),
            ],
            aliases: vec![
                ("id", id.clone()),
                (alias::HOST_ID, id.clone()),
                ("name", self.name.clone()),
                ("ip", self.ip.clone()),
            ],
            configuration: json!({
                "InstanceId": id,
                "InstanceType": self.size,
                "ImageId": names.ec2("ami", "base"),
                "State": {"Code": 16, "Name": "running"},
                "PrivateIpAddress": self.ip,
                "PrivateDnsName": format!("ip-{}.{REGION}.compute.internal", self.ip.replace('.', "-")),
                "SubnetId": names.ec2("subnet", &self.zone.to_string()),
                "VpcId": names.ec2("vpc", "shop"),
                "SecurityGroups": [
                    {"GroupId": names.ec2("sg", self.group), "GroupName": self.group},
                ],
                "Placement": {"AvailabilityZone": format!("{REGION}{}", self.zone)},
                "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"},
                "Tags": aws_tags(&self.name, self.team),
            }),
            ..DemoResource::aws(
                "AWS::EC2::Instance",
                names.instance(&self.name),
                &self.name,
                self.team,
            )
        }
    }
}
