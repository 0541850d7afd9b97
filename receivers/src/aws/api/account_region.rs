//! One account in one region: its SDK clients, and the ARNs of its resources and of their owners.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_config::{Region, SdkConfig};
use aws_sdk_ec2::config::retry::RetryPartition;
use pipeline::sync::lock;
use pipeline::uid;
use serde_json::Value as Json;

use super::fields::text;
use super::rate_limits::{RateLimits, ServiceLimiters};

/// The SDK clients and rate limiters of one account and region.
#[derive(Clone, Debug)]
pub(in crate::aws) struct AccountRegion {
    /// The account id; empty if it is not known yet.
    pub(in crate::aws) account: String,
    pub(in crate::aws) region: String,
    pub(in crate::aws) limits: Arc<ServiceLimiters>,
    /// The owners of resources that are referenced by id alone.
    pub(in crate::aws) owners: ResourceOwners,
    pub(in crate::aws) autoscaling: aws_sdk_autoscaling::Client,
    pub(in crate::aws) ec2: aws_sdk_ec2::Client,
    pub(in crate::aws) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(in crate::aws) iam: aws_sdk_iam::Client,
    pub(in crate::aws) kms: aws_sdk_kms::Client,
    pub(in crate::aws) lambda: aws_sdk_lambda::Client,
    pub(in crate::aws) rds: aws_sdk_rds::Client,
    pub(in crate::aws) route53: aws_sdk_route53::Client,
    pub(in crate::aws) s3: aws_sdk_s3::Client,
    sdk: SdkConfig,
}

impl AccountRegion {
    pub(in crate::aws) fn new(
        account: &str,
        region: &str,
        sdk: &SdkConfig,
        rates: RateLimits,
        owners: &ResourceOwners,
    ) -> AccountRegion {
        let sdk = sdk
            .to_builder()
            .region(Region::new(region.to_owned()))
            .build();
        // A retry partition per account, region and service: throttling of one account slows down no other account.
        // (The S3 clients of all accounts share the default partition.)
        macro_rules! client {
            ($sdk:ident, $service:literal) => {{
                let partition = format!("{account}/{region}/{}", $service);
                let config = $sdk::config::Builder::from(&sdk)
                    .retry_partition(RetryPartition::new(partition))
                    .build();
                $sdk::Client::from_conf(config)
            }};
        }
        AccountRegion {
            account: account.to_owned(),
            region: region.to_owned(),
            limits: Arc::new(ServiceLimiters::new(rates)),
            owners: owners.clone(),
            autoscaling: client!(aws_sdk_autoscaling, "autoscaling"),
            ec2: client!(aws_sdk_ec2, "ec2"),
            elb: client!(aws_sdk_elasticloadbalancingv2, "elb"),
            iam: client!(aws_sdk_iam, "iam"),
            kms: client!(aws_sdk_kms, "kms"),
            lambda: client!(aws_sdk_lambda, "lambda"),
            rds: client!(aws_sdk_rds, "rds"),
            route53: client!(aws_sdk_route53, "route53"),
            s3: s3(&sdk),
            sdk,
        }
    }

    /// The same account with an S3 client of another region, since only its own region serves a bucket.
    pub(in crate::aws) fn with_s3_region(&self, region: &str) -> AccountRegion {
        if region == self.region {
            return self.clone();
        }
        let sdk = self.sdk.to_builder();
        let sdk = sdk.region(Region::new(region.to_owned())).build();
        AccountRegion {
            region: region.to_owned(),
            s3: s3(&sdk),
            ..self.clone()
        }
    }

    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub(in crate::aws) fn partition(&self) -> &'static str {
        uid::aws_partition(&self.region)
    }

    /// An ARN in this account and region: `at.arn("ec2", "vpc/", &item["VpcId"])`. `None` if the id is
    /// missing.
    pub(in crate::aws) fn arn(&self, service: &str, prefix: &str, id: &Json) -> Option<String> {
        let resource = format!("{prefix}{}", text(id)?);
        Some(uid::aws(service, &self.region, &self.account, &resource))
    }

    /// An ARN of EC2 in this region and in the account that owns the resource, or in this account if the owner is not
    /// known.
    pub(in crate::aws) fn ec2_arn(&self, prefix: &str, id: &Json) -> Option<String> {
        self.ec2_arn_in(&self.region, prefix, id)
    }

    /// Like [`ec2_arn`](Self::ec2_arn), in another region.
    pub(in crate::aws) fn ec2_arn_in(
        &self,
        region: &str,
        prefix: &str,
        id: &Json,
    ) -> Option<String> {
        let id = text(id)?;
        let owner = self.owners.owner_of(id);
        let owner = owner.as_deref().unwrap_or(&self.account);
        Some(uid::aws("ec2", region, owner, &format!("{prefix}{id}")))
    }

    /// An ARN of EC2 in this region and in the account `owner`, which the response names as the owner. If the response
    /// names no owner, like [`ec2_arn`](Self::ec2_arn).
    pub(in crate::aws) fn ec2_arn_of(
        &self,
        owner: &Json,
        prefix: &str,
        id: &Json,
    ) -> Option<String> {
        let Some(owner) = text(owner) else {
            return self.ec2_arn(prefix, id);
        };
        let resource = format!("{prefix}{}", text(id)?);
        Some(uid::aws("ec2", &self.region, owner, &resource))
    }

    /// The ARN of a KMS key or of its alias, from a reference of another service. A reference is an ARN, or the id or
    /// alias of a key in this account and the given region.
    pub(in crate::aws) fn key_arn(&self, region: &str, key: &Json) -> Option<String> {
        let key = key.as_str().filter(|key| !key.is_empty())?;
        let resource = match key {
            arn if arn.starts_with("arn:") => return Some(arn.to_owned()),
            alias if alias.starts_with("alias/") => alias.to_owned(),
            id => format!("key/{id}"),
        };
        Some(uid::aws("kms", region, &self.account, &resource))
    }

    /// An ARN without a region, and with this account only if `has_account` is true.
    pub(in crate::aws) fn global_arn(
        &self,
        service: &str,
        has_account: bool,
        resource: &str,
    ) -> String {
        let account = match has_account {
            true => self.account.as_str(),
            false => "",
        };
        format!("arn:{}:{service}::{account}:{resource}", self.partition())
    }
}

fn s3(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(sdk)
        // An emulator of S3 seldom has a DNS name for each bucket.
        .force_path_style(sdk.endpoint_url().is_some())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// The owners of all VPCs, subnets and security groups that any scan listed, by the id of the resource. Other resources
/// reference them by id alone, and they may belong to another account that shares them. (EC2 never reuses an id.)
#[derive(Clone, Debug, Default)]
pub(in crate::aws) struct ResourceOwners(Arc<Mutex<HashMap<Box<str>, Box<str>>>>);

impl ResourceOwners {
    /// Records the account of a resource's ARN.
    pub(in crate::aws) fn record(&self, arn: &str) {
        let account = arn.split(':').nth(4).unwrap_or_default();
        let mut owners = lock(&self.0);
        if owners.get(id_of(arn)).map(Box::as_ref) != Some(account) {
            owners.insert(id_of(arn).into(), account.into());
        }
    }

    /// The account that owns the resource with this id; `None` if no scan listed the resource.
    pub(in crate::aws) fn owner_of(&self, id: &str) -> Option<Box<str>> {
        lock(&self.0).get(id).cloned()
    }
}

/// The part of a uid after its last slash or colon.
pub(in crate::aws) fn id_of(uid: &str) -> &str {
    uid.rsplit(['/', ':']).next().unwrap_or(uid)
}
