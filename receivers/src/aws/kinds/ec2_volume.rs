//! Volumes.

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

pub(super) struct Volume;

#[async_trait]
impl Kind for Volume {
    fn about(&self) -> About {
        About::regional("AWS::EC2::Volume", Service::EC2, "volume/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        list_ec2!(at.describe_volumes.set_volume_ids(only) => found, "DescribeVolumes", 500)
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let mut volume = Draft::ec2("volume/", "VolumeId", item, at)?;
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
