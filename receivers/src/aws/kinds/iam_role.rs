//! IAM roles and their policies.

use async_trait::async_trait;
use aws_sdk_iam::types::EntityType;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::documents;

pub(super) struct Role;

#[async_trait]
impl ResourceKind for Role {
    fn info(&self) -> KindInfo {
        KindInfo::global("AWS::IAM::Role", AwsService::IAM, "role/**")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let mut pages = Pager::new(
            AwsService::IAM,
            "GetAccountAuthorizationDetails",
            "RoleDetailList",
        );
        while let Some(token) = pages.next() {
            let request = at.iam.get_account_authorization_details();
            let request = request
                .filter(EntityType::Role)
                .max_items(1000)
                .set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut roles = response.await?;
            // No call returns these details of a single role, so a refresh lists roles until it finds the target.
            roles.retain(|role| target.includes(&role["Arn"]));
            let is_found = !target.is_all() && !roles.is_empty();
            roles.iter_mut().for_each(normalize);
            out.write(roles).await?;
            if is_found {
                break;
            }
        }
        Ok(())
    }

    fn draft(&self, item: &Json, _: &AccountRegion) -> Option<ResourceDraft> {
        let mut role = ResourceDraft::new(arn(&item["Arn"])?, item);
        role.remove_fields(&["RoleLastUsed"]);
        role.id(&item["RoleId"]);
        role.name(&item["RoleName"]);
        for policy in each(&item["AttachedManagedPolicies"]) {
            role.edge(kind::ATTACHED_TO, arn(&policy["PolicyArn"]));
        }
        Some(role)
    }
}

/// Parses the policy documents, and removes the copies of the role within its instance profiles.
pub(super) fn normalize(role: &mut Json) {
    documents::decode(&mut role["AssumeRolePolicyDocument"]);
    let policies = role["RolePolicyList"].as_array_mut();
    for policy in policies.into_iter().flatten() {
        documents::decode(&mut policy["PolicyDocument"]);
    }
    let profiles = role["InstanceProfileList"].as_array_mut();
    for profile in profiles
        .into_iter()
        .flatten()
        .filter_map(Json::as_object_mut)
    {
        profile.remove("Roles");
    }
}
