//! Route tables, and where their routes lead.

use std::collections::HashSet;

use async_trait::async_trait;
use aws_sdk_ec2::types::Filter;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, text};
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

/// Where the subnets stand in an item that are not named by any table and so are the main one's.
const OTHER_SUBNETS: &str = "OtherSubnets";

pub(super) struct RouteTable;

#[async_trait]
impl Kind for RouteTable {
    fn about(&self) -> About {
        About::regional("AWS::EC2::RouteTable", Service::EC2, "route-table/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut pages = Pager::new(Service::EC2, "DescribeRouteTables", "RouteTables");
        while let Some(token) = pages.next() {
            let request = at.ec2.describe_route_tables();
            let request = request.set_route_table_ids(only.ids());
            let request = request
                .set_max_results(only.page(100))
                .set_next_token(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let tables = answer.await?;
            let tables = found.more(tables, |table| {
                let vpc = arn(&table["VpcId"]).filter(|_| is_main(table));
                async move {
                    match vpc {
                        Some(vpc) => vec![(OTHER_SUBNETS, other_subnets(at, vpc).await)],
                        None => Vec::new(),
                    }
                }
            });
            let tables = tables.await;
            found.checked(tables).await?;
        }
        Ok(())
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
        table.without(&[OTHER_SUBNETS]);
        for subnet in each(&item[OTHER_SUBNETS]) {
            let subnet = at.ec2_arn("subnet/", &subnet["SubnetId"]);
            table.edge_with(kind::ATTACHED_TO, subnet, json!({"Main": true}));
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

/// Whether it is the table of all subnets of its VPC that have none of their own.
fn is_main(table: &Json) -> bool {
    each(&table["Associations"]).any(|association| association["Main"] == true)
}

/// The subnets of a VPC that no table names.
async fn other_subnets(at: &Place, vpc: String) -> Result<Json, Failure> {
    let of_vpc = Filter::builder().name("vpc-id").values(vpc).build();
    let tables = Pager::new(Service::EC2, "DescribeRouteTables", "RouteTables");
    let tables = tables.all(at, |token, capture| {
        let request = at.ec2.describe_route_tables().filters(of_vpc.clone());
        let request = request.max_results(100).set_next_token(token);
        request.customize().interceptor(capture).send()
    });
    let tables = tables.await?;
    let associations = tables.iter().flat_map(|table| each(&table["Associations"]));
    let named: HashSet<&str> = associations
        .filter_map(|it| text(&it["SubnetId"]))
        .collect();
    let subnets = Pager::new(Service::EC2, "DescribeSubnets", "Subnets");
    let subnets = subnets.all(at, |token, capture| {
        let request = at.ec2.describe_subnets().filters(of_vpc.clone());
        let request = request.max_results(1000).set_next_token(token);
        request.customize().interceptor(capture).send()
    });
    let mut subnets = subnets.await?;
    subnets.retain(|subnet| text(&subnet["SubnetId"]).is_some_and(|id| !named.contains(id)));
    Ok(Json::Array(subnets))
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
