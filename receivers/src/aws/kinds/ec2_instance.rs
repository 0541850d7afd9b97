//! EC2 instances.

use async_trait::async_trait;
use pipeline::schema::aliases::kind as alias;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each, take_items, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::autoscaling_group;

pub(super) struct Instance;

#[async_trait]
impl ResourceKind for Instance {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::EC2::Instance", AwsService::EC2, "instance/*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let mut pages = Pager::new(AwsService::EC2, "DescribeInstances", "Reservations");
        while let Some(token) = pages.next() {
            let request = at.ec2.describe_instances().set_instance_ids(target.ids());
            let request = request
                .set_max_results(target.page_size(1000))
                .set_next_token(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let reservations = response.await?;
            out.write(reservations.into_iter().flat_map(instances).collect())
                .await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        // AWS still lists an instance for about an hour after its termination.
        if item["State"]["Name"] == "terminated" {
            return None;
        }
        let mut instance = ResourceDraft::ec2("instance/", "InstanceId", item, at)?;
        let vpc = &item["VpcId"];
        instance.edge(kind::PART_OF, at.ec2_arn("subnet/", &item["SubnetId"]));
        let interfaces = each(&item["NetworkInterfaces"]);
        let groups = interfaces.flat_map(|interface| each(&interface["Groups"]));
        for group in each(&item["SecurityGroups"]).chain(groups) {
            instance.edge(
                kind::SECURED_BY,
                at.ec2_arn("security-group/", &group["GroupId"]),
            );
        }
        instance.edge(kind::ASSUMES, arn(&item["IamInstanceProfile"]["Arn"]));
        let group = instance.tags.get("aws:autoscaling:groupName").cloned();
        let group = autoscaling_group::by_name(at, &group.unwrap_or_default());
        instance.edge(kind::MEMBER_OF, group);
        instance.alias(alias::HOST_ID, &item["InstanceId"]);
        instance.alias_within(vpc, "ip", &item["PrivateIpAddress"]);
        instance.alias("ip", &item["PublicIpAddress"]);
        // An address from AWS's pool belongs to the instance. An Elastic IP is a separate resource, which has this
        // alias.
        if each(&item["NetworkInterfaces"]).any(|it| it["Association"]["IpOwnerId"] == "amazon")
            && let Some(address) = text(&item["PublicIpAddress"])
        {
            instance.same_as(uid::external(address, None));
            instance.host(&item["PublicDnsName"], []);
        }
        instance.alias_within(vpc, "dns", &item["PrivateDnsName"]);
        instance.alias("dns", &item["PublicDnsName"]);
        Some(instance)
    }
}

/// The instances of a reservation, each with the fields that only the reservation has.
fn instances(mut reservation: Json) -> Vec<Json> {
    let mut instances = take_items(&mut reservation, "Instances");
    for instance in &mut instances {
        for field in ["ReservationId", "OwnerId"] {
            instance[field] = reservation[field].clone();
        }
    }
    instances
}
