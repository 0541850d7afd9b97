//! Keys of KMS, with their aliases.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each};
use crate::aws::found::{Answers, Found, take};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct Key;

#[async_trait]
impl Kind for Key {
    fn about(&self) -> About {
        About::regional("AWS::KMS::Key", Service::KMS, "key/*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        if let Some(uid) = only.uid() {
            // Whether there is such a key.
            describe(at, uid.clone()).await?;
            let key = json!({"KeyId": only.id(), "KeyArn": uid});
            let mut aliases = Aliases::of(at, only, found).await;
            return aliases.page(at, found, vec![key]).await;
        }
        let mut aliases = Aliases::of(at, only, found).await;
        let mut pages = Pager::new(Service::KMS, "ListKeys", "Keys");
        while let Some(token) = pages.next() {
            let request = at.kms.list_keys().limit(1000).set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let keys = answer.await?;
            aliases.page(at, found, keys).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, _: &Place) -> Option<Draft> {
        let mut key = Draft::new(arn(&item["KeyArn"])?, item);
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

/// The aliases of each key, by the key's id.
struct Aliases {
    of: HashMap<String, Vec<Json>>,
    /// Whether they could be asked for.
    is_whole: bool,
}

impl Aliases {
    async fn of(at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Aliases {
        let pages = Pager::new(Service::KMS, "ListAliases", "Aliases");
        let all = pages.all(at, |token, capture| {
            let request = at.kms.list_aliases().set_key_id(only.id());
            let request = request.limit(100).set_marker(token);
            request.customize().interceptor(capture).send()
        });
        let all = all.await;
        if let Err(failure) = &all {
            found.pages.failed(failure);
        }
        let is_whole = all.is_ok();
        let mut of: HashMap<String, Vec<Json>> = HashMap::new();
        for alias in all.unwrap_or_default() {
            // One of AWS's own leads nowhere before it is first used.
            if let Some(key) = arn(&alias["TargetKeyId"]) {
                of.entry(key).or_default().push(alias);
            }
        }
        Aliases { of, is_whole }
    }

    async fn page(
        &mut self,
        at: &Place,
        found: &mut Found<'_>,
        keys: Vec<Json>,
    ) -> Result<(), Failure> {
        let mut keys = found
            .more(keys, |key| settings(at, arn(&key["KeyArn"])))
            .await;
        for (key, is_whole) in &mut keys {
            *is_whole &= self.is_whole;
            let aliases = key["KeyId"].as_str().and_then(|id| self.of.remove(id));
            key["Aliases"] = aliases.unwrap_or_default().into();
        }
        found.checked(keys).await
    }
}

async fn settings(at: &Place, key: Option<String>) -> Answers {
    let key = key.unwrap_or_default();
    let metadata = describe(at, key.clone()).await;
    let tags = at.kms.list_resource_tags().key_id(&key).limit(50);
    let tags = at.call(Service::KMS, "ListResourceTags", |capture| {
        tags.customize().interceptor(capture).send()
    });
    let mut answers = vec![("Tags", tags.await.map(take("Tags")))];
    if metadata.as_ref().is_ok_and(rotates) {
        let rotation = at.kms.get_key_rotation_status().key_id(&key);
        let rotation = at.call(Service::KMS, "GetKeyRotationStatus", |capture| {
            rotation.customize().interceptor(capture).send()
        });
        let rotation = rotation.await;
        for field in ["KeyRotationEnabled", "RotationPeriodInDays"] {
            answers.push((field, rotation.clone().map(take(field))));
        }
    }
    answers.push(("KeyMetadata", metadata));
    answers
}

async fn describe(at: &Place, key: String) -> Result<Json, Failure> {
    let request = at.kms.describe_key().key_id(key);
    let answer = at.call(Service::KMS, "DescribeKey", |capture| {
        request.customize().interceptor(capture).send()
    });
    at.must_have((Service::KMS, "DescribeKey"), answer.await?, "KeyMetadata")
}

/// KMS rotates only symmetric keys that it has made itself.
fn rotates(metadata: &Json) -> bool {
    metadata["KeySpec"] == "SYMMETRIC_DEFAULT" && metadata["Origin"] == "AWS_KMS"
}
