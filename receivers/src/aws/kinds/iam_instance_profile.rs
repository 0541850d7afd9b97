//! Instance profiles: the roles that instances assume.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each};
use crate::aws::found::{Answers, Found, take};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct InstanceProfile;

#[async_trait]
impl Kind for InstanceProfile {
    fn about(&self) -> About {
        About::global(
            "AWS::IAM::InstanceProfile",
            Service::IAM,
            "instance-profile/**",
        )
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        if let Some(name) = only.id() {
            let mut profile = describe(at, name).await?;
            settle(&mut profile);
            return found.page(vec![profile]).await;
        }
        let mut pages = Pager::new(Service::IAM, "ListInstanceProfiles", "InstanceProfiles");
        while let Some(token) = pages.next() {
            let request = at
                .iam
                .list_instance_profiles()
                .max_items(1000)
                .set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut profiles = answer.await?;
            profiles.iter_mut().for_each(settle);
            let tags = |profile: &Json| tags(at, arn(&profile["InstanceProfileName"]));
            let profiles = found.more(profiles, tags).await;
            found.checked(profiles).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, _: &Place) -> Option<Draft> {
        let mut profile = Draft::new(arn(&item["Arn"])?, item);
        profile.id(&item["InstanceProfileId"]);
        profile.name(&item["InstanceProfileName"]);
        for role in each(&item["Roles"]) {
            profile.edge(kind::ASSUMES, arn(&role["Arn"]));
        }
        Some(profile)
    }
}

/// Of its roles only which they are: a role that changes, or is used, is no change of the profile.
pub(super) fn settle(profile: &mut Json) {
    let roles = profile.get_mut("Roles").and_then(Json::as_array_mut);
    for role in roles.into_iter().flatten().filter_map(Json::as_object_mut) {
        role.retain(|field, _| ["Path", "RoleName", "RoleId", "Arn"].contains(&field.as_str()));
    }
}

/// Its tags, which the list leaves out.
async fn tags(at: &Place, profile: Option<String>) -> Answers {
    let profile = describe(at, profile.unwrap_or_default()).await;
    vec![("Tags", profile.map(take("Tags")))]
}

async fn describe(at: &Place, name: String) -> Result<Json, Failure> {
    let request = at.iam.get_instance_profile().instance_profile_name(name);
    let answer = at.call(Service::IAM, "GetInstanceProfile", |capture| {
        request.customize().interceptor(capture).send()
    });
    let asked = (Service::IAM, "GetInstanceProfile");
    at.must_have(asked, answer.await?, "InstanceProfile")
}
