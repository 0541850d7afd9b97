//! Roles and instance profiles.

use serde_json::json;

use super::{check, configuration, resource};
use crate::aws::kinds::{iam_instance_profile, iam_role};

#[test]
fn role_has_edges_to_its_managed_policies_and_parsed_policy_documents() {
    let mut item = json!({
        "RoleName": "api", "RoleId": "AROA1", "Arn": "arn:aws:iam::123456789012:role/service/api",
        "AssumeRolePolicyDocument": "%7B%22Statement%22%3A%5B%5D%7D",
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%7D"}],
        "AttachedManagedPolicies": [{"PolicyName": "r", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        "InstanceProfileList": [{"InstanceProfileName": "api", "Roles": [{"RoleName": "api"}]}],
        "RoleLastUsed": {"LastUsedDate": "2026-01-01T00:00:00Z", "Region": "us-east-1"},
    });
    iam_role::normalize(&mut item);
    let uid = "arn:aws:iam::123456789012:role/service/api";
    let edges = ["ATTACHED_TO arn:aws:iam::aws:policy/ReadOnlyAccess"];
    check(
        &iam_role::Role,
        &item,
        uid,
        &edges,
        &["id AROA1", "name api"],
    );
    let configuration = configuration(&iam_role::Role, &item);
    assert_eq!(
        configuration["AssumeRolePolicyDocument"],
        json!({"Statement": []})
    );
    let policy = &configuration["RolePolicyList"][0]["PolicyDocument"];
    assert_eq!(*policy, json!({"Version": "2012-10-17"}));
    assert_eq!(
        configuration["InstanceProfileList"],
        json!([{"InstanceProfileName": "api"}])
    );
    assert!(
        configuration.get("RoleLastUsed").is_none(),
        "it changes with every use"
    );
    assert_eq!(resource(&iam_role::Role, &item).unwrap().region, None);
}

#[test]
fn instance_profile_assumes_its_role_and_does_not_change_when_the_role_changes() {
    let mut item = json!({
        "InstanceProfileName": "web", "InstanceProfileId": "AIPA1",
        "Arn": "arn:aws:iam::123456789012:instance-profile/web",
        "Roles": [{
            "Arn": "arn:aws:iam::123456789012:role/web", "RoleName": "web",
            "AssumeRolePolicyDocument": "%7B%7D", "RoleLastUsed": {"Region": "us-east-1"},
        }],
    });
    iam_instance_profile::normalize(&mut item);
    let kind = &iam_instance_profile::InstanceProfile;
    let uid = "arn:aws:iam::123456789012:instance-profile/web";
    let edges = ["ASSUMES arn:aws:iam::123456789012:role/web"];
    check(kind, &item, uid, &edges, &["id AIPA1", "name web"]);
    let role = json!({"Arn": "arn:aws:iam::123456789012:role/web", "RoleName": "web"});
    assert_eq!(configuration(kind, &item)["Roles"], json!([role]));
}
