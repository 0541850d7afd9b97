//! Launch templates, with what their default version says.

use std::collections::HashMap;

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, text};
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct LaunchTemplate;

#[async_trait]
impl Kind for LaunchTemplate {
    fn about(&self) -> About {
        About::regional(
            "AWS::EC2::LaunchTemplate",
            Service::EC2,
            "launch-template/*",
        )
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let pages = Pager::new(Service::EC2, "DescribeLaunchTemplates", "LaunchTemplates");
        let templates = pages.all(at, |token, capture| {
            let request = at.ec2.describe_launch_templates();
            let request = request.set_launch_template_ids(only.ids());
            let request = request
                .set_max_results(only.page(200))
                .set_next_token(token);
            request.customize().interceptor(capture).send()
        });
        let templates = templates.await?;
        if templates.is_empty() {
            return Ok(());
        }
        // One call tells of 200 templates; and whoever has a template by now has its default version.
        let pages = Pager::new(
            Service::EC2,
            "DescribeLaunchTemplateVersions",
            "LaunchTemplateVersions",
        );
        let versions = pages.all(at, |token, capture| {
            let request = at
                .ec2
                .describe_launch_template_versions()
                .versions("$Default");
            let request = request.set_launch_template_id(only.id());
            let request = request
                .set_max_results(only.page(200))
                .set_next_token(token);
            request.customize().interceptor(capture).send()
        });
        let versions = versions.await.unwrap_or_else(|failure| {
            found.pages.failed(&failure);
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
        found.checked(templates.collect()).await
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let mut template = Draft::ec2("launch-template/", "LaunchTemplateId", item, at)?;
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

/// What a version says, by the id of its template.
fn data_of(mut version: Json) -> Option<(String, Json)> {
    let data = version["LaunchTemplateData"].take();
    Some((arn(&version["LaunchTemplateId"])?, data))
}
