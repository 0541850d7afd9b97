//! KMS keys and their aliases.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use crate::aws::api::fields::{arn, each, take_field};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    DetailResults, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind,
};

pub(super) struct Key;

#[async_trait]
impl ResourceKind for Key {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::KMS::Key", AwsService::KMS, "key/*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        if let Some(uid) = target.uid() {
            // Fails if the key does not exist.
            describe(at, uid.clone()).await?;
            let key = json!({"KeyId": target.id(), "KeyArn": uid});
            let mut aliases = Aliases::list(at, target, out).await;
            return aliases.write_page(at, out, vec![key]).await;
        }
        let mut aliases = Aliases::list(at, target, out).await;
        let mut pages = Pager::new(AwsService::KMS, "ListKeys", "Keys");
        while let Some(token) = pages.next() {
            let request = at.kms.list_keys().limit(1000).set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let keys = response.await?;
            aliases.write_page(at, out, keys).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, _: &AccountRegion) -> Option<ResourceDraft> {
        let mut key = ResourceDraft::new(arn(&item["KeyArn"])?, item);
        key.id(&item["KeyId"]);
        let mut aliases: Vec<&Json> = each(&item["Aliases"]).collect();
        aliases.sort_by_key(|alias| alias["AliasName"].as_str());
        for alias in aliases {
            key.name(&alias["AliasName"]);
            if let Some(uid) = arn(&alias["AliasArn"]) {
                key.same_as(uid);
            }
        }
        Some(key)
    }
}

/// The aliases of all keys, or of the target.
struct Aliases {
    /// By the id of their key.
    by_key: HashMap<String, Vec<Json>>,
    /// Whether the aliases could be listed.
    is_complete: bool,
}

impl Aliases {
    async fn list(at: &AccountRegion, target: ListTarget<'_>, out: &mut PageWriter<'_>) -> Aliases {
        let pages = Pager::new(AwsService::KMS, "ListAliases", "Aliases");
        let all = pages.all(at, |token, capture| {
            let request = at.kms.list_aliases().set_key_id(target.id());
            let request = request.limit(100).set_marker(token);
            request.customize().interceptor(capture).send()
        });
        let all = all.await;
        if let Err(failure) = &all {
            out.sink.report_failure(failure);
        }
        let is_complete = all.is_ok();
        let mut by_key: HashMap<String, Vec<Json>> = HashMap::new();
        for alias in all.unwrap_or_default() {
            // An AWS managed alias has no key before its first use.
            if let Some(key) = arn(&alias["TargetKeyId"]) {
                by_key.entry(key).or_default().push(alias);
            }
        }
        Aliases {
            by_key,
            is_complete,
        }
    }

    /// Writes a page of keys, with their details and aliases.
    async fn write_page(
        &mut self,
        at: &AccountRegion,
        out: &mut PageWriter<'_>,
        keys: Vec<Json>,
    ) -> Result<(), ScanFailure> {
        let mut keys = out
            .add_details(keys, |key| settings(at, arn(&key["KeyArn"])))
            .await;
        for (key, is_complete) in &mut keys {
            *is_complete &= self.is_complete;
            let aliases = key["KeyId"].as_str().and_then(|id| self.by_key.remove(id));
            key["Aliases"] = aliases.unwrap_or_default().into();
        }
        out.write_detailed(keys).await
    }
}

async fn settings(at: &AccountRegion, key: Option<String>) -> DetailResults {
    let key = key.unwrap_or_default();
    let metadata = describe(at, key.clone()).await;
    let tags = at.kms.list_resource_tags().key_id(&key).limit(50);
    let tags = at.call(AwsService::KMS, "ListResourceTags", |capture| {
        tags.customize().interceptor(capture).send()
    });
    let mut results = vec![("Tags", tags.await.map(take_field("Tags")))];
    if metadata.as_ref().is_ok_and(rotates) {
        let rotation = at.kms.get_key_rotation_status().key_id(&key);
        let rotation = at.call(AwsService::KMS, "GetKeyRotationStatus", |capture| {
            rotation.customize().interceptor(capture).send()
        });
        let rotation = rotation.await;
        for field in ["KeyRotationEnabled", "RotationPeriodInDays"] {
            results.push((field, rotation.clone().map(take_field(field))));
        }
    }
    results.push(("KeyMetadata", metadata));
    results
}

async fn describe(at: &AccountRegion, key: String) -> Result<Json, ScanFailure> {
    let request = at.kms.describe_key().key_id(key);
    let response = at.call(AwsService::KMS, "DescribeKey", |capture| {
        request.customize().interceptor(capture).send()
    });
    at.require_field(
        (AwsService::KMS, "DescribeKey"),
        response.await?,
        "KeyMetadata",
    )
}

/// Whether KMS can rotate the key automatically: only a symmetric key that KMS generated.
fn rotates(metadata: &Json) -> bool {
    metadata["KeySpec"] == "SYMMETRIC_DEFAULT" && metadata["Origin"] == "AWS_KMS"
}
