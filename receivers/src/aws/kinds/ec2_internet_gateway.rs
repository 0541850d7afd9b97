//! Internet gateways.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::each;
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::list_ec2::list_ec2;

pub(super) struct InternetGateway;

#[async_trait]
impl Kind for InternetGateway {
    fn about(&self) -> About {
        About::regional(
            "AWS::EC2::InternetGateway",
            Service::EC2,
            "internet-gateway/*",
        )
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        list_ec2!(
            at.describe_internet_gateways.set_internet_gateway_ids(only) => found,
            "DescribeInternetGateways",
            1000
        )
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let mut gateway = Draft::ec2("internet-gateway/", "InternetGatewayId", item, at)?;
        for attachment in each(&item["Attachments"]) {
            gateway.edge(kind::ATTACHED_TO, at.ec2_arn("vpc/", &attachment["VpcId"]));
        }
        Some(gateway)
    }
}
