//! Network interfaces.

use async_trait::async_trait;
use pipeline::schema::aliases::kind as alias;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::api::fields::{each, text};
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::list_ec2::list_ec2;

pub(super) struct NetworkInterface;

#[async_trait]
impl ResourceKind for NetworkInterface {
    fn info(&self) -> KindInfo {
        KindInfo::regional(
            "AWS::EC2::NetworkInterface",
            AwsService::EC2,
            "network-interface/*",
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(
            at.describe_network_interfaces.set_network_interface_ids(target) => out,
            "DescribeNetworkInterfaces",
            1000
        )
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut interface =
            ResourceDraft::ec2("network-interface/", "NetworkInterfaceId", item, at)?;
        let vpc = &item["VpcId"];
        interface.edge(kind::PART_OF, at.ec2_arn("subnet/", &item["SubnetId"]));
        for group in each(&item["Groups"]) {
            interface.edge(
                kind::SECURED_BY,
                at.ec2_arn("security-group/", &group["GroupId"]),
            );
        }
        let instance = &item["Attachment"];
        let (owner, instance) = (&instance["InstanceOwnerId"], &instance["InstanceId"]);
        let instance = at.ec2_arn_of(owner, "instance/", instance);
        interface.edge(kind::ATTACHED_TO, instance);
        let ipv6 = each(&item["Ipv6Addresses"]).map(|address| &address["Ipv6Address"]);
        let addresses = || [item].into_iter().chain(each(&item["PrivateIpAddresses"]));
        let private = addresses().map(|address| &address["PrivateIpAddress"]);
        for address in private.chain(ipv6) {
            interface.alias_within(vpc, alias::INTERFACE_IP, address);
            if let (Some(vpc), Some(address)) = (text(vpc), text(address)) {
                interface.same_as(uid::address(vpc, address));
            }
        }
        for address in addresses() {
            interface.alias(alias::INTERFACE_IP, &address["Association"]["PublicIp"]);
        }
        Some(interface)
    }
}
