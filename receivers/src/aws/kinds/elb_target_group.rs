//! Target groups and the health of their targets.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::{Value as Json, json};

use crate::aws::api::fields::{arn, each, take_field, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    DetailResults, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind,
};

use super::lambda_function::unqualified;
use super::tags::tag_elb;

pub(super) struct TargetGroup;

#[async_trait]
impl ResourceKind for TargetGroup {
    fn info(&self) -> KindInfo {
        let resource = "targetgroup/*/*";
        KindInfo::regional(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            AwsService::ELB,
            resource,
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let mut pages = Pager::new(AwsService::ELB, "DescribeTargetGroups", "TargetGroups");
        while let Some(token) = pages.next() {
            let request = at
                .elb
                .describe_target_groups()
                .set_target_group_arns(target.uids());
            let request = request
                .set_page_size(target.page_size(400))
                .set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let groups = response.await?;
            let mut groups = out
                .add_details(groups, |group| health(at, arn(&group["TargetGroupArn"])))
                .await;
            tag_elb(at, out, &mut groups, "TargetGroupArn").await;
            out.write_detailed(groups).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let uid = arn(&item["TargetGroupArn"])?;
        // The name in metrics: `targetgroup/web/73e2d6bc24d8a067`.
        let id = uid.rsplit_once(':').map(|(_, id)| id.to_owned());
        let mut group = ResourceDraft::new(uid, item);
        group.id(&id.into());
        group.name(&item["TargetGroupName"]);
        group.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
        for balancer in each(&item["LoadBalancerArns"]) {
            group.edge(kind::ATTACHED_TO, arn(balancer));
        }
        let mut targets: Vec<&Json> = each(&item["TargetHealthDescriptions"]).collect();
        // A target with several ports has one edge, with the properties of the highest port. AWS lists the ports in
        // any order.
        targets.sort_by_key(|target| target["Target"]["Port"].as_i64());
        for description in targets {
            let (target, health) = (&description["Target"], &description["TargetHealth"]);
            let properties = json!({
                "State": health["State"],
                "Port": target["Port"],
                "Reason": health["Reason"],
            });
            group.edge_with(kind::TARGETS, uid_of(target, item, at), properties);
        }
        Some(group)
    }
}

/// The uid of a target of a group.
fn uid_of(target: &Json, group: &Json, at: &AccountRegion) -> Option<String> {
    let id = text(&target["Id"])?;
    match text(&group["TargetType"])? {
        "instance" => at.ec2_arn("instance/", &target["Id"]),
        // An address outside of the group's VPC.
        "ip" if target["AvailabilityZone"] == "all" => Some(uid::external(id, None)),
        "ip" => Some(uid::address(text(&group["VpcId"])?, id)),
        "lambda" => Some(unqualified(id)),
        _ => Some(id.to_owned()),
    }
}

async fn health(at: &AccountRegion, group: Option<String>) -> DetailResults {
    let request = at.elb.describe_target_health().set_target_group_arn(group);
    let response = at.call(AwsService::ELB, "DescribeTargetHealth", |capture| {
        request.customize().interceptor(capture).send()
    });
    let key = "TargetHealthDescriptions";
    vec![(key, response.await.map(take_field(key)))]
}
