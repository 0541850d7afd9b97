//! Subnets.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{
    KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind, ScanPhase,
};

use super::list_ec2::list_ec2;

pub(super) struct Subnet;

#[async_trait]
impl ResourceKind for Subnet {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::EC2::Subnet", AwsService::EC2, "subnet/*").phase(ScanPhase::First)
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(at.describe_subnets.set_subnet_ids(target) => out, "DescribeSubnets", 1000)
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut subnet = ResourceDraft::ec2("subnet/", "SubnetId", item, at)?;
        // The number changes with each address that a resource in the subnet takes or returns.
        subnet.remove_fields(&["AvailableIpAddressCount"]);
        // The owner of a subnet also owns its VPC.
        let vpc = at.ec2_arn_of(&item["OwnerId"], "vpc/", &item["VpcId"]);
        subnet.edge(kind::PART_OF, vpc);
        Some(subnet)
    }
}
