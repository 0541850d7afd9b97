//! Instance profiles, which hold the roles that instances assume.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each, take_field};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    DetailResults, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind,
};

pub(super) struct InstanceProfile;

#[async_trait]
impl ResourceKind for InstanceProfile {
    fn info(&self) -> KindInfo {
        KindInfo::global(
            "AWS::IAM::InstanceProfile",
            AwsService::IAM,
            "instance-profile/**",
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        if let Some(name) = target.id() {
            let mut profile = describe(at, name).await?;
            normalize(&mut profile);
            return out.write(vec![profile]).await;
        }
        let mut pages = Pager::new(AwsService::IAM, "ListInstanceProfiles", "InstanceProfiles");
        while let Some(token) = pages.next() {
            let request = at
                .iam
                .list_instance_profiles()
                .max_items(1000)
                .set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut profiles = response.await?;
            profiles.iter_mut().for_each(normalize);
            let tags = |profile: &Json| tags(at, arn(&profile["InstanceProfileName"]));
            let profiles = out.add_details(profiles, tags).await;
            out.write_detailed(profiles).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, _: &AccountRegion) -> Option<ResourceDraft> {
        let mut profile = ResourceDraft::new(arn(&item["Arn"])?, item);
        profile.id(&item["InstanceProfileId"]);
        profile.name(&item["InstanceProfileName"]);
        for role in each(&item["Roles"]) {
            profile.edge(kind::ASSUMES, arn(&role["Arn"]));
        }
        Some(profile)
    }
}

/// Keeps only the names and ids of the profile's roles, so that a change or use of a role does not change the profile.
pub(super) fn normalize(profile: &mut Json) {
    let roles = profile.get_mut("Roles").and_then(Json::as_array_mut);
    for role in roles.into_iter().flatten().filter_map(Json::as_object_mut) {
        role.retain(|field, _| ["Path", "RoleName", "RoleId", "Arn"].contains(&field.as_str()));
    }
}

/// Fetches the tags, which `ListInstanceProfiles` does not return.
async fn tags(at: &AccountRegion, profile: Option<String>) -> DetailResults {
    let profile = describe(at, profile.unwrap_or_default()).await;
    vec![("Tags", profile.map(take_field("Tags")))]
}

async fn describe(at: &AccountRegion, name: String) -> Result<Json, ScanFailure> {
    let request = at.iam.get_instance_profile().instance_profile_name(name);
    let response = at.call(AwsService::IAM, "GetInstanceProfile", |capture| {
        request.customize().interceptor(capture).send()
    });
    let call = (AwsService::IAM, "GetInstanceProfile");
    at.require_field(call, response.await?, "InstanceProfile")
}
