//! NAT gateways.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::each;
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::list_ec2::list_ec2;

pub(super) struct NatGateway;

#[async_trait]
impl ResourceKind for NatGateway {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::EC2::NatGateway", AwsService::EC2, "natgateway/*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(
            at.describe_nat_gateways.set_nat_gateway_ids(target) => out,
            "DescribeNatGateways",
            1000
        )
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        // AWS still lists a gateway for about an hour after its deletion.
        if item["State"] == "deleted" {
            return None;
        }
        let mut gateway = ResourceDraft::ec2("natgateway/", "NatGatewayId", item, at)?;
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
