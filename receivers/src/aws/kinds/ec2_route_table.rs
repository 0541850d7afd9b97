//! Route tables, and where their routes lead.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each};
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

/// What a route names its target by, and how the target's ARN begins.
const TARGETS: [(&str, &str); 8] = [
    ("NatGatewayId", "natgateway/"),
    ("NetworkInterfaceId", "network-interface/"),
    ("InstanceId", "instance/"),
    ("TransitGatewayId", "transit-gateway/"),
    ("VpcPeeringConnectionId", "vpc-peering-connection/"),
    (
        "EgressOnlyInternetGatewayId",
        "egress-only-internet-gateway/",
    ),
    ("LocalGatewayId", "local-gateway/"),
    ("CarrierGatewayId", "carrier-gateway/"),
];

const DESTINATIONS: [&str; 3] = [
    "DestinationCidrBlock",
    "DestinationIpv6CidrBlock",
    "DestinationPrefixListId",
];

pub(super) struct RouteTable;

#[async_trait]
impl Kind for RouteTable {
    fn about(&self) -> About {
        About::regional("AWS::EC2::RouteTable", Service::EC2, "route-table/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let ask = |token, capture| {
            let request = at
                .ec2
                .describe_route_tables()
                .set_route_table_ids(only.ids());
            let request = request
                .set_max_results(only.page(100))
                .set_next_token(token);
            request.customize().interceptor(capture).send()
        };
        found
            .all(Service::EC2, "DescribeRouteTables", "RouteTables", ask)
            .await
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let mut table = Draft::ec2("route-table/", "RouteTableId", item, at)?;
        table.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
        for association in each(&item["Associations"]) {
            table.edge(
                kind::ATTACHED_TO,
                at.ec2_arn("subnet/", &association["SubnetId"]),
            );
            table.edge(kind::ATTACHED_TO, gateway(at, &association["GatewayId"]));
        }
        for route in each(&item["Routes"]) {
            let destination = DESTINATIONS.iter().map(|field| &route[*field]);
            let destination: Vec<_> = destination.filter(|value| value.is_string()).collect();
            let properties = json!({"Destinations": destination});
            let targets = TARGETS
                .iter()
                .map(|(field, prefix)| at.ec2_arn(prefix, &route[*field]));
            let others = [
                gateway(at, &route["GatewayId"]),
                arn(&route["CoreNetworkArn"]),
            ];
            for target in targets.chain(others) {
                table.edge_with(kind::ROUTES_TO, target, properties.clone());
            }
        }
        Some(table)
    }
}

/// A gateway by its id, which says of which kind it is; none of `local`.
fn gateway(at: &Place, id: &Json) -> Option<String> {
    let prefix = match id.as_str()?.split_once('-')?.0 {
        "igw" => "internet-gateway/",
        "vgw" => "vpn-gateway/",
        "vpce" => "vpc-endpoint/",
        _ => return None,
    };
    at.ec2_arn(prefix, id)
}
