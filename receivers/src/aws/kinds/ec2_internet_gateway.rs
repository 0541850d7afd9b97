//! Internet gateways.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::each;
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::list_ec2::list_ec2;

pub(super) struct InternetGateway;

#[async_trait]
impl ResourceKind for InternetGateway {
    fn info(&self) -> KindInfo {
        KindInfo::regional(
            "AWS::EC2::InternetGateway",
            AwsService::EC2,
            "internet-gateway/*",
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(
            at.describe_internet_gateways.set_internet_gateway_ids(target) => out,
            "DescribeInternetGateways",
            1000
        )
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut gateway = ResourceDraft::ec2("internet-gateway/", "InternetGatewayId", item, at)?;
        for attachment in each(&item["Attachments"]) {
            gateway.edge(kind::ATTACHED_TO, at.ec2_arn("vpc/", &attachment["VpcId"]));
        }
        Some(gateway)
    }
}
