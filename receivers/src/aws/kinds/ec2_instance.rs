//! Instances.

use async_trait::async_trait;
use pipeline::schema::aliases::kind as alias;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, text};
use crate::aws::found::{Found, items};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::autoscaling_group;

pub(super) struct Instance;

#[async_trait]
impl Kind for Instance {
    fn about(&self) -> About {
        About::regional("AWS::EC2::Instance", Service::EC2, "instance/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut pages = Pager::new(Service::EC2, "DescribeInstances", "Reservations");
        while let Some(token) = pages.next() {
            let request = at.ec2.describe_instances().set_instance_ids(only.ids());
            let request = request
                .set_max_results(only.page(1000))
                .set_next_token(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let reservations = answer.await?;
            found
                .page(reservations.into_iter().flat_map(instances).collect())
                .await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        // AWS lists it for an hour after its end.
        if item["State"]["Name"] == "terminated" {
            return None;
        }
        let mut instance = Draft::ec2("instance/", "InstanceId", item, at)?;
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
        // An address that AWS has lent it; others are resources of their own.
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

/// The instances of a reservation, each with what the reservation alone says.
fn instances(mut reservation: Json) -> Vec<Json> {
    let mut instances = items(&mut reservation, "Instances");
    for instance in &mut instances {
        for field in ["ReservationId", "OwnerId"] {
            instance[field] = reservation[field].clone();
        }
    }
    instances
}
