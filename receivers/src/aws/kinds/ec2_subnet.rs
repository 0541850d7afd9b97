//! Subnets.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only, Turn};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::list_ec2::list_ec2;

pub(super) struct Subnet;

#[async_trait]
impl Kind for Subnet {
    fn about(&self) -> About {
        About::regional("AWS::EC2::Subnet", Service::EC2, "subnet/*").turn(Turn::First)
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        list_ec2!(at.describe_subnets.set_subnet_ids(only) => found, "DescribeSubnets", 1000)
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let mut subnet = Draft::ec2("subnet/", "SubnetId", item, at)?;
        // Whatever starts or ends in the subnet moves it.
        subnet.without(&["AvailableIpAddressCount"]);
        // Who owns a subnet owns its VPC.
        let vpc = at.ec2_arn_of(&item["OwnerId"], "vpc/", &item["VpcId"]);
        subnet.edge(kind::PART_OF, vpc);
        Some(subnet)
    }
}
