//! The services that are asked.

/// A service by its name in ARNs and in IAM's actions: `ec2:DescribeVpcs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Service(pub(super) &'static str);

impl Service {
    pub(super) const AUTOSCALING: Service = Service("autoscaling");
    pub(super) const EC2: Service = Service("ec2");
    pub(super) const ELB: Service = Service("elasticloadbalancing");
    pub(super) const IAM: Service = Service("iam");
    pub(super) const KMS: Service = Service("kms");
    pub(super) const LAMBDA: Service = Service("lambda");
    pub(super) const RDS: Service = Service("rds");
    pub(super) const ROUTE53: Service = Service("route53");
    pub(super) const S3: Service = Service("s3");
    pub(super) const STS: Service = Service("sts");

    /// The action by which IAM allows an operation: S3 has other names for some.
    pub(super) fn action(self, operation: &str) -> String {
        let action = match (self, operation) {
            (Service::S3, "ListBuckets") => "ListAllMyBuckets",
            (Service::S3, "GetBucketEncryption") => "GetEncryptionConfiguration",
            (Service::S3, "GetBucketNotificationConfiguration") => "GetBucketNotification",
            (Service::S3, "GetPublicAccessBlock") => "GetBucketPublicAccessBlock",
            _ => operation,
        };
        format!("{self}:{action}")
    }

    /// Calls a second in one account and region where the configuration says nothing: below what AWS
    /// allows to all callers together (EC2 20 with tokens for 100, Route 53 5 for the account).
    pub(super) fn calls_per_second(self) -> u32 {
        match self {
            Service::ROUTE53 => 4,
            Service::EC2 | Service::S3 => 20,
            _ => 10,
        }
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.0)
    }
}
