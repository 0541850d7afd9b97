//! Route tables, and where their routes lead.

use std::collections::{HashMap, HashSet};

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

/// Where an item of a main table has the ids of the subnets that no table names: they are its own.
const OTHER_SUBNETS: &str = "OtherSubnets";

pub(super) struct RouteTable;

#[async_trait]
impl Kind for RouteTable {
    fn about(&self) -> About {
        About::regional("AWS::EC2::RouteTable", Service::EC2, "route-table/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let vpc = match only.is_all() {
            true => None,
            false => match one(at, only, found).await? {
                Some(vpc) => Some(vpc),
                None => return Ok(()),
            },
        };
        // First: a subnet that is made while tables are read would be in none that was read before.
        let subnets = subnets(at, vpc.as_deref()).await;
        let (mut subnets, is_whole) = match subnets {
            Ok(subnets) => (subnets, true),
            Err(failure) => (HashMap::new(), found.does_without(&failure)),
        };
        let mut named = HashSet::new();
        let mut main_tables = Vec::new();
        let mut pages = Pager::new(Service::EC2, "DescribeRouteTables", "RouteTables");
        while let Some(token) = pages.next() {
            let request = at.ec2.describe_route_tables();
            let request = request.set_filters(of_vpc(vpc.as_deref()));
            let request = request.max_results(100).set_next_token(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let tables = answer.await?;
            let associations = tables.iter().flat_map(|table| each(&table["Associations"]));
            named.extend(associations.map(|it| it["SubnetId"].clone()));
            let asked = tables.into_iter().filter(|it| only.is(&it["RouteTableId"]));
            let (main, others): (Vec<_>, Vec<_>) = asked.partition(is_main);
            main_tables.extend(main);
            found.page(others).await?;
        }
        let tables = main_tables.into_iter().map(|mut table| {
            let of_vpc = text(&table["VpcId"]).and_then(|vpc| subnets.remove(vpc));
            let mut of_vpc = of_vpc.unwrap_or_default();
            of_vpc.retain(|subnet| !named.contains(subnet));
            table[OTHER_SUBNETS] = of_vpc.into();
            (table, is_whole)
        });
        found.checked(tables.collect()).await
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
            let subnet = at.ec2_arn("subnet/", subnet);
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

/// Finds the one table that is asked for. The VPC where it is the main one: then it takes all tables of
/// the VPC to say which subnets are its own.
async fn one(at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<Option<String>, Failure> {
    let tables = Pager::new(Service::EC2, "DescribeRouteTables", "RouteTables");
    let tables = tables.all(at, |token, capture| {
        let request = at.ec2.describe_route_tables();
        let request = request
            .set_route_table_ids(only.ids())
            .set_next_token(token);
        request.customize().interceptor(capture).send()
    });
    let tables = tables.await?;
    let main = tables.iter().find(|table| is_main(table));
    if let Some(vpc) = main.and_then(|table| arn(&table["VpcId"])) {
        return Ok(Some(vpc));
    }
    found.page(tables).await?;
    Ok(None)
}

/// The ids of all subnets, or of those of one VPC, by their VPC.
async fn subnets(at: &Place, vpc: Option<&str>) -> Result<HashMap<String, Vec<Json>>, Failure> {
    let subnets = Pager::new(Service::EC2, "DescribeSubnets", "Subnets");
    let subnets = subnets.all(at, |token, capture| {
        let request = at.ec2.describe_subnets().set_filters(of_vpc(vpc));
        let request = request.max_results(1000).set_next_token(token);
        request.customize().interceptor(capture).send()
    });
    let mut by_vpc: HashMap<String, Vec<Json>> = HashMap::new();
    for mut subnet in subnets.await? {
        if let Some(vpc) = arn(&subnet["VpcId"]) {
            by_vpc
                .entry(vpc)
                .or_default()
                .push(subnet["SubnetId"].take());
        }
    }
    Ok(by_vpc)
}

fn of_vpc(vpc: Option<&str>) -> Option<Vec<Filter>> {
    let filter = Filter::builder().name("vpc-id").values(vpc?).build();
    Some(vec![filter])
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
