//! Auto Scaling groups.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each, text};
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

pub(super) struct AutoScalingGroup;

#[async_trait]
impl ResourceKind for AutoScalingGroup {
    fn info(&self) -> KindInfo {
        KindInfo::regional(
            "AWS::AutoScaling::AutoScalingGroup",
            AwsService::AUTOSCALING,
            "autoScalingGroup:*:autoScalingGroupName/**",
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let name = target.id_after("autoScalingGroupName/");
        let send = |token, capture| {
            let request = at.autoscaling.describe_auto_scaling_groups();
            let request = request.set_auto_scaling_group_names(name.clone().map(|name| vec![name]));
            let request = request.max_records(100).set_next_token(token);
            request.customize().interceptor(capture).send()
        };
        let key = "AutoScalingGroups";
        out.list_all(
            AwsService::AUTOSCALING,
            "DescribeAutoScalingGroups",
            key,
            send,
        )
        .await
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let name = &item["AutoScalingGroupName"];
        let mut group = ResourceDraft::new(arn(&item["AutoScalingGroupARN"])?, item);
        group.remove_fields(&["PredictedCapacity"]);
        group.id(name);
        group.name(name);
        if let Some(uid) = by_name(at, name) {
            group.same_as(uid);
        }
        for subnet in text(&item["VPCZoneIdentifier"])
            .unwrap_or_default()
            .split(',')
        {
            group.edge(kind::PART_OF, at.ec2_arn("subnet/", &subnet.trim().into()));
        }
        let mixed = &item["MixedInstancesPolicy"]["LaunchTemplate"];
        let overrides = each(&mixed["Overrides"]);
        let templates = [
            &item["LaunchTemplate"],
            &mixed["LaunchTemplateSpecification"],
        ]
        .into_iter();
        for template in templates.chain(overrides.map(|it| &it["LaunchTemplateSpecification"])) {
            let template = at.ec2_arn("launch-template/", &template["LaunchTemplateId"]);
            group.edge(kind::ATTACHED_TO, template);
        }
        for target_group in each(&item["TargetGroupARNs"]) {
            group.edge(kind::ATTACHED_TO, arn(target_group));
        }
        Some(group)
    }
}

/// The uid by which instances reference their group: the ARN of the group without its UUID.
pub(super) fn by_name(at: &AccountRegion, name: &Json) -> Option<String> {
    at.arn(
        "autoscaling",
        "autoScalingGroup::autoScalingGroupName/",
        name,
    )
}
