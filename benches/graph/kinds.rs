//! The kinds of resources in the cloud, their shares, and the kinds that their edges lead to.

use pipeline::schema::edges::kind as edge;

#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Nodes of this kind per 1,000 nodes.
    pub(crate) share: usize,
    /// The service and the start of the resource in the ARN; only the service if the uid is no such ARN.
    pub(crate) arn: (&'static str, &'static str),
    /// Edge kinds and the kinds (indexes in [`KINDS`]) that they lead to; a node with more edges repeats
    /// the list with other targets.
    pub(crate) edges: &'static [(&'static str, usize)],
}

pub(crate) const VPC: usize = 0;
pub(crate) const SUBNET: usize = 1;
pub(crate) const SECURITY_GROUP: usize = 2;
pub(crate) const INSTANCE: usize = 3;
pub(crate) const INTERFACE: usize = 4;
pub(crate) const VOLUME: usize = 5;
pub(crate) const ROLE: usize = 6;
pub(crate) const KEY: usize = 7;
pub(crate) const BUCKET: usize = 8;
pub(crate) const FUNCTION: usize = 9;
pub(crate) const DATABASE: usize = 10;
pub(crate) const BALANCER: usize = 11;
pub(crate) const RECORD: usize = 12;
pub(crate) const POD: usize = 13;
pub(crate) const SERVICE: usize = 14;

const fn kind(
    name: &'static str,
    share: usize,
    arn: (&'static str, &'static str),
    edges: &'static [(&'static str, usize)],
) -> Kind {
    Kind {
        name,
        share,
        arn,
        edges,
    }
}

/// All kinds, ordered so that scans refer, where possible, only to resources of earlier scans.
pub(crate) const KINDS: [Kind; 15] = [
    kind("AWS::EC2::VPC", 2, ("ec2", "vpc/vpc-0"), &[]),
    kind(
        "AWS::EC2::Subnet",
        8,
        ("ec2", "subnet/subnet-0"),
        &[(edge::PART_OF, VPC)],
    ),
    kind(
        "AWS::EC2::SecurityGroup",
        40,
        ("ec2", "security-group/sg-0"),
        &[
            (edge::PART_OF, VPC),
            (edge::ALLOWS_TRAFFIC_FROM, SECURITY_GROUP),
        ],
    ),
    kind(
        "AWS::EC2::Instance",
        150,
        ("ec2", "instance/i-0"),
        &[
            (edge::PART_OF, SUBNET),
            (edge::SECURED_BY, SECURITY_GROUP),
            (edge::ASSUMES, ROLE),
        ],
    ),
    kind(
        "AWS::EC2::NetworkInterface",
        200,
        ("ec2", "network-interface/eni-0"),
        &[
            (edge::SECURED_BY, SECURITY_GROUP),
            (edge::PART_OF, SUBNET),
            (edge::ATTACHED_TO, INSTANCE),
        ],
    ),
    kind(
        "AWS::EC2::Volume",
        150,
        ("ec2", "volume/vol-0"),
        &[(edge::ENCRYPTED_BY, KEY), (edge::ATTACHED_TO, INSTANCE)],
    ),
    kind(
        "AWS::IAM::Role",
        40,
        ("iam", "role/"),
        &[(edge::ASSUMES, ROLE)],
    ),
    kind(
        "AWS::KMS::Key",
        20,
        ("kms", "key/"),
        &[(edge::MANAGED_BY, ROLE)],
    ),
    kind(
        "AWS::S3::Bucket",
        30,
        ("s3", ""),
        &[(edge::ENCRYPTED_BY, KEY), (edge::ALLOWS_TRAFFIC_FROM, ROLE)],
    ),
    kind(
        "AWS::Lambda::Function",
        80,
        ("lambda", "function:"),
        &[
            (edge::ASSUMES, ROLE),
            (edge::PART_OF, SUBNET),
            (edge::SECURED_BY, SECURITY_GROUP),
        ],
    ),
    kind(
        "AWS::RDS::DBInstance",
        30,
        ("rds", "db:"),
        &[
            (edge::ENCRYPTED_BY, KEY),
            (edge::PART_OF, SUBNET),
            (edge::SECURED_BY, SECURITY_GROUP),
        ],
    ),
    kind(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        20,
        ("elasticloadbalancing", "loadbalancer/app/"),
        &[
            (edge::PART_OF, SUBNET),
            (edge::TARGETS, INSTANCE),
            (edge::SECURED_BY, SECURITY_GROUP),
        ],
    ),
    kind(
        "AWS::Route53::RecordSet",
        40,
        ("route53", "hostedzone/Z"),
        &[(edge::DNS_POINTS_TO, BALANCER)],
    ),
    kind(
        "k8s.pod",
        140,
        ("k8s", ""),
        &[(edge::RUNS_ON, INSTANCE), (edge::ASSUMES, ROLE)],
    ),
    kind(
        "service",
        50,
        ("service", ""),
        &[
            (edge::RUNS_ON, POD),
            (edge::CALLS, SERVICE),
            (edge::CALLS, SERVICE),
            (edge::CALLS, DATABASE),
        ],
    ),
];
