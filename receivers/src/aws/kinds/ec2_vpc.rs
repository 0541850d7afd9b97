//! VPCs.

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only, Turn};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct Vpc;

#[async_trait]
impl Kind for Vpc {
    fn about(&self) -> About {
        About::regional("AWS::EC2::VPC", Service::EC2, "vpc/*").turn(Turn::First)
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let ask = |token, capture| {
            let request = at.ec2.describe_vpcs().set_vpc_ids(only.ids());
            let request = request
                .set_max_results(only.page(1000))
                .set_next_token(token);
            request.customize().interceptor(capture).send()
        };
        found.all(Service::EC2, "DescribeVpcs", "Vpcs", ask).await
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        Draft::ec2("vpc/", "VpcId", item, at)
    }
}
