//! NAT gateways.

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

pub(super) struct NatGateway;

#[async_trait]
impl Kind for NatGateway {
    fn about(&self) -> About {
        About::regional("AWS::EC2::NatGateway", Service::EC2, "natgateway/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        list_ec2!(
            at.describe_nat_gateways.set_nat_gateway_ids(only) => found,
            "DescribeNatGateways",
            1000
        )
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        // AWS lists it for an hour after its end.
        if item["State"] == "deleted" {
            return None;
        }
        let mut gateway = Draft::ec2("natgateway/", "NatGatewayId", item, at)?;
        gateway.edge(kind::PART_OF, at.ec2_arn("subnet/", &item["SubnetId"]));
        for address in each(&item["NatGatewayAddresses"]) {
            let elastic_ip = at.ec2_arn("elastic-ip/", &address["AllocationId"]);
            let interface = at.ec2_arn("network-interface/", &address["NetworkInterfaceId"]);
            gateway.edge(kind::ATTACHED_TO, elastic_ip);
            gateway.edge(kind::ATTACHED_TO, interface);
            gateway.alias("ip", &address["PublicIp"]);
        }
        Some(gateway)
    }
}
