//! Route tables and the targets of their routes.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use aws_sdk_ec2::types::Filter;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::api::fields::{arn, each, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

/// The fields of a route that may name its target, each with the beginning of the resource part of the target's ARN.
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

/// A key that `list` adds to the item of a main table. Its value is the ids of the VPC's subnets that no table names.
/// The main table applies to these subnets.
const OTHER_SUBNETS: &str = "OtherSubnets";

pub(super) struct RouteTable;

#[async_trait]
impl ResourceKind for RouteTable {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::EC2::RouteTable", AwsService::EC2, "route-table/*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let vpc = match target.is_all() {
            true => None,
            false => match write_target(at, target, out).await? {
                Some(vpc) => Some(vpc),
                None => return Ok(()),
            },
        };
        // Subnets are listed before tables: a subnet that is created and associated while the tables are listed could
        // otherwise seem to have no table.
        let subnets = subnets(at, vpc.as_deref()).await;
        let (mut subnets, is_complete) = match subnets {
            Ok(subnets) => (subnets, true),
            Err(failure) => (HashMap::new(), out.tolerates(&failure)),
        };
        let mut named = HashSet::new();
        let mut main_tables = Vec::new();
        let mut pages = Pager::new(AwsService::EC2, "DescribeRouteTables", "RouteTables");
        while let Some(token) = pages.next() {
            let request = at.ec2.describe_route_tables();
            let request = request.set_filters(vpc_filter(vpc.as_deref()));
            let request = request.max_results(100).set_next_token(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let tables = response.await?;
            let associations = tables.iter().flat_map(|table| each(&table["Associations"]));
            named.extend(associations.map(|it| it["SubnetId"].clone()));
            let listed = tables
                .into_iter()
                .filter(|it| target.includes(&it["RouteTableId"]));
            let (main, others): (Vec<_>, Vec<_>) = listed.partition(is_main);
            main_tables.extend(main);
            out.write(others).await?;
        }
        let tables = main_tables.into_iter().map(|mut table| {
            let of_vpc = text(&table["VpcId"]).and_then(|vpc| subnets.remove(vpc));
            let mut other_subnets = of_vpc.unwrap_or_default();
            other_subnets.retain(|subnet| !named.contains(subnet));
            table[OTHER_SUBNETS] = other_subnets.into();
            (table, is_complete)
        });
        out.write_detailed(tables.collect()).await
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut table = ResourceDraft::ec2("route-table/", "RouteTableId", item, at)?;
        table.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
        for association in each(&item["Associations"]) {
            table.edge(
                kind::ATTACHED_TO,
                at.ec2_arn("subnet/", &association["SubnetId"]),
            );
            table.edge(kind::ATTACHED_TO, gateway(at, &association["GatewayId"]));
        }
        table.remove_fields(&[OTHER_SUBNETS]);
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

/// Whether the table is the main one of its VPC. The main table applies to all subnets that no other table names.
fn is_main(table: &Json) -> bool {
    each(&table["Associations"]).any(|association| association["Main"] == true)
}

/// Writes the target unless it is a main table. If it is one, returns its VPC, since the subnets to which a main table
/// applies depend on all tables of the VPC.
async fn write_target(
    at: &AccountRegion,
    target: ListTarget<'_>,
    out: &mut PageWriter<'_>,
) -> Result<Option<String>, ScanFailure> {
    let tables = Pager::new(AwsService::EC2, "DescribeRouteTables", "RouteTables");
    let tables = tables.all(at, |token, capture| {
        let request = at.ec2.describe_route_tables();
        let request = request
            .set_route_table_ids(target.ids())
            .set_next_token(token);
        request.customize().interceptor(capture).send()
    });
    let tables = tables.await?;
    let main = tables.iter().find(|table| is_main(table));
    if let Some(vpc) = main.and_then(|table| arn(&table["VpcId"])) {
        return Ok(Some(vpc));
    }
    out.write(tables).await?;
    Ok(None)
}

/// The ids of the subnets of each VPC, or only those of the VPC `vpc`.
async fn subnets(
    at: &AccountRegion,
    vpc: Option<&str>,
) -> Result<HashMap<String, Vec<Json>>, ScanFailure> {
    let subnets = Pager::new(AwsService::EC2, "DescribeSubnets", "Subnets");
    let subnets = subnets.all(at, |token, capture| {
        let request = at.ec2.describe_subnets().set_filters(vpc_filter(vpc));
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

fn vpc_filter(vpc: Option<&str>) -> Option<Vec<Filter>> {
    let filter = Filter::builder().name("vpc-id").values(vpc?).build();
    Some(vec![filter])
}

/// The uid of a gateway. The prefix of the id determines the kind of the gateway. `None` for `local`.
fn gateway(at: &AccountRegion, id: &Json) -> Option<String> {
    let prefix = match id.as_str()?.split_once('-')?.0 {
        "igw" => "internet-gateway/",
        "vgw" => "vpn-gateway/",
        "vpce" => "vpc-endpoint/",
        _ => return None,
    };
    at.ec2_arn(prefix, id)
}
