//! Elastic IP addresses.

use async_trait::async_trait;
use pipeline::schema::aliases::kind as alias;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::text;
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct ElasticIp;

#[async_trait]
impl Kind for ElasticIp {
    fn about(&self) -> About {
        About::regional("AWS::EC2::EIP", Service::EC2, "elastic-ip/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        // It has no pages.
        let ask = |_, capture| {
            let request = at.ec2.describe_addresses().set_allocation_ids(only.ids());
            request.customize().interceptor(capture).send()
        };
        found
            .all(Service::EC2, "DescribeAddresses", "Addresses", ask)
            .await
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let mut address = Draft::ec2("elastic-ip/", "AllocationId", item, at)?;
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
