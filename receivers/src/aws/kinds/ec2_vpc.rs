//! VPCs.

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{
    KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind, ScanPhase,
};

use super::list_ec2::list_ec2;

pub(super) struct Vpc;

#[async_trait]
impl ResourceKind for Vpc {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::EC2::VPC", AwsService::EC2, "vpc/*").phase(ScanPhase::First)
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(at.describe_vpcs.set_vpc_ids(target) => out, "DescribeVpcs", 1000)
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        ResourceDraft::ec2("vpc/", "VpcId", item, at)
    }
}
