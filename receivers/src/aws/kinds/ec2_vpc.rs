//! VPCs.

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only, Turn};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::list_ec2::list_ec2;

pub(super) struct Vpc;

#[async_trait]
impl Kind for Vpc {
    fn about(&self) -> About {
        About::regional("AWS::EC2::VPC", Service::EC2, "vpc/*").turn(Turn::First)
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        list_ec2!(at.describe_vpcs.set_vpc_ids(only) => found, "DescribeVpcs", 1000)
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        Draft::ec2("vpc/", "VpcId", item, at)
    }
}
