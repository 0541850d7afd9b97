//! IAM roles, with their policies.

use async_trait::async_trait;
use aws_sdk_iam::types::EntityType;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each};
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::documents;

pub(super) struct Role;

#[async_trait]
impl Kind for Role {
    fn about(&self) -> About {
        About::global("AWS::IAM::Role", Service::IAM, "role/**")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut pages = Pager::new(
            Service::IAM,
            "GetAccountAuthorizationDetails",
            "RoleDetailList",
        );
        while let Some(token) = pages.next() {
            let request = at.iam.get_account_authorization_details();
            let request = request
                .filter(EntityType::Role)
                .max_items(1000)
                .set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut roles = answer.await?;
            // No call tells the same of one role.
            roles.retain(|role| only.is(&role["Arn"]));
            let is_found = !only.is_all() && !roles.is_empty();
            roles.iter_mut().for_each(settle);
            found.page(roles).await?;
            if is_found {
                break;
            }
        }
        Ok(())
    }

    fn draft(&self, item: &Json, _: &Place) -> Option<Draft> {
        let mut role = Draft::new(arn(&item["Arn"])?, item);
        role.without(&["RoleLastUsed"]);
        role.id(&item["RoleId"]);
        role.name(&item["RoleName"]);
        for policy in each(&item["AttachedManagedPolicies"]) {
            role.edge(kind::ATTACHED_TO, arn(&policy["PolicyArn"]));
        }
        Some(role)
    }
}

/// Its documents as JSON, and without the copies of itself that are in its instance profiles.
pub(super) fn settle(role: &mut Json) {
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
