//! S3 buckets and their settings.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::api::fields::{arn, each, take_field, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    DetailResults, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind,
};

use super::documents;
use super::lambda_function::unqualified;

/// The lists of a bucket's notifications, each with the field that names the target of a notification.
const TARGETS: [(&str, &str); 3] = [
    ("TopicConfigurations", "TopicArn"),
    ("QueueConfigurations", "QueueArn"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
];

pub(super) struct Bucket;

#[async_trait]
impl ResourceKind for Bucket {
    fn info(&self) -> KindInfo {
        KindInfo::global("AWS::S3::Bucket", AwsService::S3, "*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let mut pages = Pager::new(AwsService::S3, "ListBuckets", "Buckets");
        while let Some(token) = pages.next() {
            // S3 returns the regions of the buckets only if the request has a limit.
            let request = at.s3.list_buckets().max_buckets(1000);
            let request = request
                .set_prefix(target.id())
                .set_continuation_token(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut buckets = response.await?;
            buckets.retain(|bucket| target.includes(&bucket["Name"]));
            let settings = |bucket: &Json| {
                let region = arn(&bucket["BucketRegion"]);
                settings(
                    at,
                    text(&bucket["Name"]).unwrap_or_default().to_owned(),
                    region,
                )
            };
            let buckets = out.add_details(buckets, settings).await;
            out.write_detailed(buckets).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut bucket = ResourceDraft::new(at.global_arn("s3", false, text(&item["Name"])?), item);
        let region = text(&item["BucketRegion"]).unwrap_or(&at.region);
        bucket.region = arn(&item["BucketRegion"]);
        bucket.id(&item["Name"]);
        bucket.name(&item["Name"]);
        for rule in each(&item["ServerSideEncryptionConfiguration"]["Rules"]) {
            let key = &rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"];
            bucket.edge(kind::ENCRYPTED_BY, at.key_arn(region, key));
        }
        for (list, target) in TARGETS {
            for notification in each(&item["NotificationConfiguration"][list]) {
                let to = text(&notification[target]).map(|arn| match target {
                    "LambdaFunctionArn" => unqualified(arn),
                    _ => arn.to_owned(),
                });
                let properties = json!({"Events": notification["Events"]});
                bucket.edge_with(kind::ROUTES_TO, to, properties);
            }
        }
        Some(bucket)
    }
}

async fn settings(at: &AccountRegion, bucket: String, region: Option<String>) -> DetailResults {
    let region = match region {
        Some(region) => region,
        None => match region_of(at, &bucket).await {
            Ok(region) => region,
            Err(failure) => return vec![("BucketRegion", Err(failure))],
        },
    };
    let at = &at.with_s3_region(&region);
    let s3 = &at.s3;
    macro_rules! call {
        ($request:ident, $operation:literal) => {{
            let request = s3.$request().bucket(&bucket);
            at.call(AwsService::S3, $operation, |capture| {
                request.customize().interceptor(capture).send()
            })
            .await
        }};
    }
    let encryption = call!(get_bucket_encryption, "GetBucketEncryption");
    let policy = call!(get_bucket_policy, "GetBucketPolicy");
    let tags = call!(get_bucket_tagging, "GetBucketTagging");
    let access = call!(get_public_access_block, "GetPublicAccessBlock");
    let notification = call!(
        get_bucket_notification_configuration,
        "GetBucketNotificationConfiguration"
    );
    let (encryption_field, access_field) = (
        "ServerSideEncryptionConfiguration",
        "PublicAccessBlockConfiguration",
    );
    vec![
        ("BucketRegion", Ok(region.into())),
        (
            encryption_field,
            encryption.map(take_field(encryption_field)),
        ),
        (
            "Policy",
            policy.map(take_field("Policy")).map(documents::parse),
        ),
        ("TagSet", tags.map(take_field("TagSet"))),
        (access_field, access.map(take_field(access_field))),
        ("NotificationConfiguration", notification),
    ]
}

async fn region_of(at: &AccountRegion, bucket: &str) -> Result<String, ScanFailure> {
    let request = at.s3.get_bucket_location().bucket(bucket);
    let response = at.call(AwsService::S3, "GetBucketLocation", |capture| {
        request.customize().interceptor(capture).send()
    });
    Ok(match text(&response.await?["LocationConstraint"]) {
        // S3 returns no value for us-east-1, and for eu-west-1 it may return `EU`.
        None => "us-east-1".to_owned(),
        Some("EU") => "eu-west-1".to_owned(),
        Some(region) => region.to_owned(),
    })
}
