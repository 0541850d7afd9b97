//! Target groups, with the health of their targets.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::{Value as Json, json};

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, text};
use crate::aws::found::{Answers, Found, take};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::lambda_function::unqualified;
use super::tags::tag_elb;

pub(super) struct TargetGroup;

#[async_trait]
impl Kind for TargetGroup {
    fn about(&self) -> About {
        let resource = "targetgroup/*/*";
        About::regional(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            Service::ELB,
            resource,
        )
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut pages = Pager::new(Service::ELB, "DescribeTargetGroups", "TargetGroups");
        while let Some(token) = pages.next() {
            let request = at
                .elb
                .describe_target_groups()
                .set_target_group_arns(only.uids());
            let request = request.set_page_size(only.page(400)).set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let groups = answer.await?;
            let mut groups = found
                .more(groups, |group| health(at, arn(&group["TargetGroupArn"])))
                .await;
            tag_elb(at, found, &mut groups, "TargetGroupArn").await;
            found.checked(groups).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let uid = arn(&item["TargetGroupArn"])?;
        // As metrics name it: `targetgroup/web/73e2d6bc24d8a067`.
        let id = uid.rsplit_once(':').map(|(_, id)| id.to_owned());
        let mut group = Draft::new(uid, item);
        group.id(&id.into());
        group.name(&item["TargetGroupName"]);
        group.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
        for balancer in each(&item["LoadBalancerArns"]) {
            group.edge(kind::ATTACHED_TO, arn(balancer));
        }
        let mut targets: Vec<&Json> = each(&item["TargetHealthDescriptions"]).collect();
        // Of a target on several ports the last one counts, in whatever order AWS lists them.
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

/// What a target of a group is.
fn uid_of(target: &Json, group: &Json, at: &Place) -> Option<String> {
    let id = text(&target["Id"])?;
    match text(&group["TargetType"])? {
        "instance" => at.ec2_arn("instance/", &target["Id"]),
        // Outside of the group's VPC its address may be anybody's.
        "ip" if target["AvailabilityZone"] == "all" => Some(uid::external(id, None)),
        "ip" => Some(uid::address(text(&group["VpcId"])?, id)),
        "lambda" => Some(unqualified(id)),
        _ => Some(id.to_owned()),
    }
}

async fn health(at: &Place, group: Option<String>) -> Answers {
    let request = at.elb.describe_target_health().set_target_group_arn(group);
    let answer = at.call(Service::ELB, "DescribeTargetHealth", |capture| {
        request.customize().interceptor(capture).send()
    });
    let key = "TargetHealthDescriptions";
    vec![(key, answer.await.map(take(key)))]
}
