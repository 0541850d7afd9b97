//! Volumes.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::each;
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::list_ec2::list_ec2;

pub(super) struct Volume;

#[async_trait]
impl ResourceKind for Volume {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::EC2::Volume", AwsService::EC2, "volume/*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(at.describe_volumes.set_volume_ids(target) => out, "DescribeVolumes", 500)
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut volume = ResourceDraft::ec2("volume/", "VolumeId", item, at)?;
        for attachment in each(&item["Attachments"]) {
            volume.edge(
                kind::ATTACHED_TO,
                at.ec2_arn("instance/", &attachment["InstanceId"]),
            );
        }
        volume.edge(
            kind::ENCRYPTED_BY,
            at.key_arn(&at.region, &item["KmsKeyId"]),
        );
        Some(volume)
    }
}
