//! Auto Scaling groups.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, text};
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct AutoScalingGroup;

#[async_trait]
impl Kind for AutoScalingGroup {
    fn about(&self) -> About {
        About::regional(
            "AWS::AutoScaling::AutoScalingGroup",
            Service::AUTOSCALING,
            "autoScalingGroup:*:autoScalingGroupName/**",
        )
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let name = only.behind("autoScalingGroupName/");
        let ask = |token, capture| {
            let request = at.autoscaling.describe_auto_scaling_groups();
            let request = request.set_auto_scaling_group_names(name.clone().map(|name| vec![name]));
            let request = request.max_records(100).set_next_token(token);
            request.customize().interceptor(capture).send()
        };
        let key = "AutoScalingGroups";
        found
            .all(Service::AUTOSCALING, "DescribeAutoScalingGroups", key, ask)
            .await
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let name = &item["AutoScalingGroupName"];
        let mut group = Draft::new(arn(&item["AutoScalingGroupARN"])?, item);
        group.without(&["PredictedCapacity"]);
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
        for template in templates.chain(overrides.map(|own| &own["LaunchTemplateSpecification"])) {
            let template = at.ec2_arn("launch-template/", &template["LaunchTemplateId"]);
            group.edge(kind::ATTACHED_TO, template);
        }
        for target_group in each(&item["TargetGroupARNs"]) {
            group.edge(kind::ATTACHED_TO, arn(target_group));
        }
        Some(group)
    }
}

/// A group as its instances name it: its ARN without the UUID.
pub(super) fn by_name(at: &Place, name: &Json) -> Option<String> {
    at.arn(
        "autoscaling",
        "autoScalingGroup::autoScalingGroupName/",
        name,
    )
}
