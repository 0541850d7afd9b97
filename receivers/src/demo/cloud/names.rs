//! Names and ids in the formats of AWS and Kubernetes. They depend only on the seed.

use pipeline::uid;

use crate::demo::shop::Pod;

/// The account id that AWS's documentation uses.
pub(in crate::demo) const ACCOUNT: &str = "123456789012";
pub(in crate::demo) const REGION: &str = "eu-west-1";
pub(in crate::demo) const CLUSTER_NAME: &str = "shop-prod";
/// The number of Kubernetes nodes.
pub(super) const NODES: usize = 3;

/// The names and ids of the resources of one seed.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) struct DemoNames {
    seed: u64,
}

impl DemoNames {
    pub(in crate::demo) fn new(seed: u64) -> DemoNames {
        DemoNames { seed }
    }

    fn hash(&self, thing: &str) -> u64 {
        uid::hash(&format!("{}/{thing}", self.seed))
    }

    /// An EC2 id of 17 hexadecimal digits: `sg-0d1f…`.
    pub(in crate::demo) fn ec2(&self, prefix: &str, name: &str) -> String {
        format!("{prefix}-0{:016x}", self.hash(&format!("{prefix}/{name}")))
    }

    pub(super) fn ec2_arn(&self, kind: &str, prefix: &str, name: &str) -> String {
        let id = self.ec2(prefix, name);
        uid::aws("ec2", REGION, ACCOUNT, &format!("{kind}/{id}"))
    }

    pub(super) fn vpc(&self) -> String {
        self.ec2_arn("vpc", "vpc", "shop")
    }

    pub(super) fn subnet(&self, zone: char) -> String {
        self.ec2_arn("subnet", "subnet", &zone.to_string())
    }

    /// The ARN of a security group, by its name: `sg-database`.
    pub(in crate::demo) fn security_group(&self, name: &str) -> String {
        self.ec2_arn("security-group", "sg", name)
    }

    pub(super) fn instance(&self, name: &str) -> String {
        self.ec2_arn("instance", "i", name)
    }

    pub(super) fn load_balancer(&self) -> String {
        let resource = format!("loadbalancer/app/shop/{:016x}", self.hash("alb"));
        uid::aws("elasticloadbalancing", REGION, ACCOUNT, &resource)
    }

    pub(super) fn load_balancer_dns(&self) -> String {
        let number = self.hash("alb-dns") % 10_000_000_000;
        format!("shop-{number}.{REGION}.elb.amazonaws.com")
    }

    pub(super) fn database(&self) -> String {
        uid::aws("rds", REGION, ACCOUNT, "db:shop-db")
    }

    /// The DNS name that clients of the database connect to.
    pub(in crate::demo) fn database_endpoint(&self) -> String {
        let number = format!("{:016x}", self.hash("rds"));
        format!("shop-db.c{}.{REGION}.rds.amazonaws.com", &number[..11])
    }

    /// A UUID of version 4.
    pub(in crate::demo) fn uuid(&self, thing: &str) -> String {
        let high = format!("{:016x}", self.hash(thing));
        let low = format!("{:016x}", self.hash(&format!("{thing}/low")));
        format!(
            "{}-{}-4{}-a{}-{}",
            &high[..8],
            &high[8..12],
            &high[13..],
            &low[1..4],
            &low[4..]
        )
    }

    /// The uid of the namespace kube-system, which OpenTelemetry uses as the uid of a cluster.
    pub(in crate::demo) fn cluster(&self) -> String {
        self.uuid("cluster")
    }

    pub(in crate::demo) fn pod_uid(&self, pod: Pod) -> String {
        self.uuid(&pod_key(pod))
    }

    /// The name of a Deployment's pod: `catalog-6c7a91d2f4-x7k2p`.
    pub(in crate::demo) fn pod_name(&self, pod: Pod) -> String {
        let service = pod.service.name();
        let replica_set = self.hash(&format!("replicaset/{service}/{}", pod.deploys));
        let pod_hash = self.hash(&pod_key(pod));
        format!(
            "{service}-{:010x}-{:05x}",
            replica_set & 0xff_ffff_ffff,
            pod_hash & 0xf_ffff
        )
    }

    /// The number of the node on which a pod runs.
    pub(in crate::demo) fn node_of(&self, pod: Pod) -> usize {
        let first = self.hash(&format!("node/{}", pod.service.name()));
        ((first % NODES as u64) as usize + pod.replica as usize) % NODES
    }

    /// The name of a node's instance.
    pub(super) fn node(number: usize) -> String {
        format!("shop-node-{}", number + 1)
    }

    /// The instance id of a node: `i-…`.
    pub(in crate::demo) fn node_id(&self, number: usize) -> String {
        self.ec2("i", &DemoNames::node(number))
    }

    /// The Kubernetes name of a node.
    pub(in crate::demo) fn node_host(number: usize) -> String {
        let address = DemoNames::node_ip(number).replace('.', "-");
        format!("ip-{address}.{REGION}.compute.internal")
    }

    /// The zone of a node: nodes alternate between the two subnets.
    pub(super) fn node_zone(number: usize) -> char {
        if number.is_multiple_of(2) { 'a' } else { 'b' }
    }

    pub(super) fn node_ip(number: usize) -> String {
        format!("10.0.{}.{}", 1 + number % 2, 11 + number)
    }
}

fn pod_key(pod: Pod) -> String {
    format!("pod/{}/{}/{}", pod.service.name(), pod.replica, pod.deploys)
}
