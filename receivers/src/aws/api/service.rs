//! The AWS services that the receiver calls.

/// The name of a service in ARNs and in IAM actions: `ec2` of `ec2:DescribeVpcs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::aws) struct AwsService(pub(in crate::aws) &'static str);

impl AwsService {
    pub(in crate::aws) const AUTOSCALING: AwsService = AwsService("autoscaling");
    pub(in crate::aws) const EC2: AwsService = AwsService("ec2");
    pub(in crate::aws) const ELB: AwsService = AwsService("elasticloadbalancing");
    pub(in crate::aws) const IAM: AwsService = AwsService("iam");
    pub(in crate::aws) const KMS: AwsService = AwsService("kms");
    pub(in crate::aws) const LAMBDA: AwsService = AwsService("lambda");
    pub(in crate::aws) const RDS: AwsService = AwsService("rds");
    pub(in crate::aws) const ROUTE53: AwsService = AwsService("route53");
    pub(in crate::aws) const S3: AwsService = AwsService("s3");
    pub(in crate::aws) const STS: AwsService = AwsService("sts");

    /// The IAM action that allows an operation. The names of some S3 actions differ from those of the operations.
    pub(in crate::aws) fn action(self, operation: &str) -> String {
        let action = match (self, operation) {
            (AwsService::S3, "ListBuckets") => "ListAllMyBuckets",
            (AwsService::S3, "GetBucketEncryption") => "GetEncryptionConfiguration",
            (AwsService::S3, "GetBucketNotificationConfiguration") => "GetBucketNotification",
            (AwsService::S3, "GetPublicAccessBlock") => "GetBucketPublicAccessBlock",
            _ => operation,
        };
        format!("{self}:{action}")
    }

    /// The default rate limit, in calls per second of one account and region. It does not exceed AWS's limit for all
    /// callers together (EC2: 20 per second and a bucket of 100 tokens; Route 53: 5 per second for the account).
    pub(in crate::aws) fn calls_per_second(self) -> u32 {
        match self {
            AwsService::ROUTE53 => 4,
            AwsService::EC2 | AwsService::S3 => 20,
            _ => 10,
        }
    }
}

impl std::fmt::Display for AwsService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.0)
    }
}
