//! Elastic IP addresses.

use async_trait::async_trait;
use pipeline::schema::aliases::kind as alias;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::api::fields::text;
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

pub(super) struct ElasticIp;

#[async_trait]
impl ResourceKind for ElasticIp {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::EC2::EIP", AwsService::EC2, "elastic-ip/*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        // The operation has no pages.
        let send = |_, capture| {
            let request = at.ec2.describe_addresses().set_allocation_ids(target.ids());
            request.customize().interceptor(capture).send()
        };
        out.list_all(AwsService::EC2, "DescribeAddresses", "Addresses", send)
            .await
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut address = ResourceDraft::ec2("elastic-ip/", "AllocationId", item, at)?;
        let interface = at.ec2_arn("network-interface/", &item["NetworkInterfaceId"]);
        address.edge(
            kind::ATTACHED_TO,
            at.ec2_arn("instance/", &item["InstanceId"]),
        );
        address.edge(kind::ATTACHED_TO, interface);
        address.alias(alias::RESERVED_IP, &item["PublicIp"]);
        if let Some(ip) = text(&item["PublicIp"]) {
            address.same_as(uid::external(ip, None));
        }
        Some(address)
    }
}
