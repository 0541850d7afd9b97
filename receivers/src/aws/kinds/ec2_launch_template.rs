//! Launch templates and the data of their default versions.

use std::collections::HashMap;

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

pub(super) struct LaunchTemplate;

#[async_trait]
impl ResourceKind for LaunchTemplate {
    fn info(&self) -> KindInfo {
        KindInfo::regional(
            "AWS::EC2::LaunchTemplate",
            AwsService::EC2,
            "launch-template/*",
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let pages = Pager::new(
            AwsService::EC2,
            "DescribeLaunchTemplates",
            "LaunchTemplates",
        );
        let templates = pages.all(at, |token, capture| {
            let request = at.ec2.describe_launch_templates();
            let request = request.set_launch_template_ids(target.ids());
            let request = request
                .set_max_results(target.page_size(200))
                .set_next_token(token);
            request.customize().interceptor(capture).send()
        });
        let templates = templates.await?;
        if templates.is_empty() {
            return Ok(());
        }
        // One call returns the default versions of up to 200 templates. Each template has a default version.
        let pages = Pager::new(
            AwsService::EC2,
            "DescribeLaunchTemplateVersions",
            "LaunchTemplateVersions",
        );
        let versions = pages.all(at, |token, capture| {
            let request = at
                .ec2
                .describe_launch_template_versions()
                .versions("$Default");
            let request = request.set_launch_template_id(target.id());
            let request = request
                .set_max_results(target.page_size(200))
                .set_next_token(token);
            request.customize().interceptor(capture).send()
        });
        let versions = versions.await.unwrap_or_else(|failure| {
            out.sink.report_failure(&failure);
            Vec::new()
        });
        let mut data: HashMap<String, Json> = versions.into_iter().filter_map(data_of).collect();
        let templates = templates.into_iter().map(|mut template| {
            let id = text(&template["LaunchTemplateId"]).unwrap_or_default();
            let Some(data) = data.remove(id) else {
                return (template, false);
            };
            template["LaunchTemplateData"] = data;
            (template, true)
        });
        out.write_detailed(templates.collect()).await
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut template = ResourceDraft::ec2("launch-template/", "LaunchTemplateId", item, at)?;
        template.name(&item["LaunchTemplateName"]);
        template.redact("/LaunchTemplateData/UserData");
        let data = &item["LaunchTemplateData"];
        let interfaces = each(&data["NetworkInterfaces"]);
        let groups = interfaces.flat_map(|interface| each(&interface["Groups"]));
        for group in each(&data["SecurityGroupIds"]).chain(groups) {
            template.edge(kind::SECURED_BY, at.ec2_arn("security-group/", group));
        }
        let profile = &data["IamInstanceProfile"];
        let by_name = || {
            let name = text(&profile["Name"])?;
            Some(at.global_arn("iam", true, &format!("instance-profile/{name}")))
        };
        template.edge(kind::ASSUMES, arn(&profile["Arn"]).or_else(by_name));
        Some(template)
    }
}

/// The id of the template of a version, and the data of the version.
fn data_of(mut version: Json) -> Option<(String, Json)> {
    let data = version["LaunchTemplateData"].take();
    Some((arn(&version["LaunchTemplateId"])?, data))
}
