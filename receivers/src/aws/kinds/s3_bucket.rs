//! Buckets, with the settings that each has.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, text};
use crate::aws::found::{Answers, Found, take};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::documents;
use super::lambda_function::unqualified;

/// Where a bucket's events go: the list of its notifications, and the field that is the target.
const TARGETS: [(&str, &str); 3] = [
    ("TopicConfigurations", "TopicArn"),
    ("QueueConfigurations", "QueueArn"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
];

pub(super) struct Bucket;

#[async_trait]
impl Kind for Bucket {
    fn about(&self) -> About {
        About::global("AWS::S3::Bucket", Service::S3, "*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut pages = Pager::new(Service::S3, "ListBuckets", "Buckets");
        while let Some(token) = pages.next() {
            // Without a limit S3 does not say in which regions they are.
            let request = at.s3.list_buckets().max_buckets(1000);
            let request = request.set_prefix(only.id()).set_continuation_token(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut buckets = answer.await?;
            buckets.retain(|bucket| only.is(&bucket["Name"]));
            let settings = |bucket: &Json| {
                let region = arn(&bucket["BucketRegion"]);
                settings(
                    at,
                    text(&bucket["Name"]).unwrap_or_default().to_owned(),
                    region,
                )
            };
            let buckets = found.more(buckets, settings).await;
            found.checked(buckets).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let mut bucket = Draft::new(at.global_arn("s3", false, text(&item["Name"])?), item);
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

async fn settings(at: &Place, bucket: String, region: Option<String>) -> Answers {
    let region = match region {
        Some(region) => region,
        None => match region_of(at, &bucket).await {
            Ok(region) => region,
            Err(failure) => return vec![("BucketRegion", Err(failure))],
        },
    };
    let at = &at.elsewhere(&region);
    let s3 = &at.s3;
    macro_rules! ask {
        ($request:ident, $operation:literal) => {{
            let request = s3.$request().bucket(&bucket);
            at.call(Service::S3, $operation, |capture| {
                request.customize().interceptor(capture).send()
            })
            .await
        }};
    }
    let encryption = ask!(get_bucket_encryption, "GetBucketEncryption");
    let policy = ask!(get_bucket_policy, "GetBucketPolicy");
    let tags = ask!(get_bucket_tagging, "GetBucketTagging");
    let access = ask!(get_public_access_block, "GetPublicAccessBlock");
    let notification = ask!(
        get_bucket_notification_configuration,
        "GetBucketNotificationConfiguration"
    );
    let (encrypted, access_key) = (
        "ServerSideEncryptionConfiguration",
        "PublicAccessBlockConfiguration",
    );
    vec![
        ("BucketRegion", Ok(region.into())),
        (encrypted, encryption.map(take(encrypted))),
        ("Policy", policy.map(take("Policy")).map(documents::parse)),
        ("TagSet", tags.map(take("TagSet"))),
        (access_key, access.map(take(access_key))),
        ("NotificationConfiguration", notification),
    ]
}

async fn region_of(at: &Place, bucket: &str) -> Result<String, Failure> {
    let request = at.s3.get_bucket_location().bucket(bucket);
    let answer = at.call(Service::S3, "GetBucketLocation", |capture| {
        request.customize().interceptor(capture).send()
    });
    Ok(match text(&answer.await?["LocationConstraint"]) {
        // As it was before S3 was anywhere else, and when Europe was one region.
        None => "us-east-1".to_owned(),
        Some("EU") => "eu-west-1".to_owned(),
        Some(region) => region.to_owned(),
    })
}
