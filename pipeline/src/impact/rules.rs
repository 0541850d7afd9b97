//! The rules: which edges lead from a changed node to the nodes that depend on it.

use crate::graph_store::Direction;
use crate::schema::edges::kind;

/// The role of a reached node. It determines which rules apply to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImpactRole {
    /// The node changed, or is affected as if it had changed: its members depend on it.
    Changed,
    /// The node depends on a changed node.
    Dependent,
    /// The node is part of the result, and the walk does not continue from it.
    Leaf,
}

/// A rule: which edges the walk follows, and the role of the node that it reaches.
#[derive(Clone, Debug)]
pub struct ImpactRule {
    /// The kind of the edge.
    pub edge_kind: &'static str,
    /// The direction of the edge at the node that the walk comes from.
    pub direction: Direction,
    /// The kinds of nodes from which the walk follows the edge; all kinds if it is empty.
    from: &'static [&'static str],
    /// The kinds of nodes to which the walk follows the edge; all kinds if it is empty.
    to: &'static [&'static str],
    /// Whether the rule applies only to a node in the role [`ImpactRole::Changed`].
    needs_change: bool,
    /// The role of the node at the other end.
    pub role: ImpactRole,
}

const INSTANCE: &str = "AWS::EC2::Instance";
const ENI: &str = "AWS::EC2::NetworkInterface";
const SECURITY_GROUP: &str = "AWS::EC2::SecurityGroup";
const SUBNET: &str = "AWS::EC2::Subnet";
const VPC: &str = "AWS::EC2::VPC";
const EIP: &str = "AWS::EC2::EIP";
const ROUTE_TABLE: &str = "AWS::EC2::RouteTable";
const AUTO_SCALING_GROUP: &str = "AWS::AutoScaling::AutoScalingGroup";
const DB_INSTANCE: &str = "AWS::RDS::DBInstance";
const DB_CLUSTER: &str = "AWS::RDS::DBCluster";
const LOAD_BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const LISTENER: &str = "AWS::ElasticLoadBalancingV2::Listener";
const LISTENER_RULE: &str = "AWS::ElasticLoadBalancingV2::ListenerRule";
const TARGET_GROUP: &str = "AWS::ElasticLoadBalancingV2::TargetGroup";

/// Kinds that contain many nodes. The walk stops at them, unless they changed.
const CONTAINERS: [&str; 8] = [
    VPC,
    SUBNET,
    "AWS::Organizations::Account",
    "AWS::Account",
    "AWS::EKS::Cluster",
    "AWS::ECS::Cluster",
    "k8s.cluster",
    "k8s.namespace",
];

/// Kinds whose members all depend on them. The walk continues to the members.
const COLLECTIONS: [&str; 2] = ["AWS::RDS::DBSubnetGroup", "AWS::Route53::HostedZone"];

/// Kinds of edges that state where a node is or what it belongs to, and not what it needs or calls.
const GROUPING: [&str; 4] = [
    kind::CONTAINS,
    kind::PART_OF,
    kind::MEMBER_OF,
    kind::MANAGED_BY,
];

/// Kinds that own pods.
const WORKLOADS: [&str; 6] = [
    "k8s.deployment",
    "k8s.replicaset",
    "k8s.statefulset",
    "k8s.daemonset",
    "k8s.cronjob",
    "k8s.job",
];

/// All rules. The walk never follows `CONTAINS` from a member to its container.
pub const RULES: &[ImpactRule] = &[
    back(kind::SECURED_BY),
    back(kind::RUNS_ON),
    back(kind::TARGETS),
    back(kind::CALLS),
    back(kind::ASSUMES),
    back(kind::ENCRYPTED_BY),
    back(kind::DNS_POINTS_TO),
    back(kind::OWNED_BY).from(&WORKLOADS),
    // One hop only: the members of a group that admits traffic from this group do not depend on this group.
    back(kind::ALLOWS_TRAFFIC_FROM)
        .to(&[SECURITY_GROUP])
        .with_role(ImpactRole::Leaf),
    along(kind::PART_OF)
        .from(&["AWS::EC2::SecurityGroupRule"])
        .to(&[SECURITY_GROUP]),
    // A resource depends on what is attached to it.
    along(kind::ATTACHED_TO).from(&[ENI, EIP, "AWS::EC2::Volume"]),
    back(kind::ATTACHED_TO)
        .from(&[ENI, EIP])
        .to(&["AWS::EC2::NatGateway"]),
    // Routing: the route tables of a gateway, their subnets, and the nodes in these subnets.
    back(kind::ROUTES_TO).to(&[ROUTE_TABLE]),
    along(kind::ATTACHED_TO)
        .from(&[ROUTE_TABLE, "AWS::EC2::NetworkAcl"])
        .to(&[SUBNET])
        .with_role(ImpactRole::Changed),
    back(kind::PART_OF).from(&CONTAINERS).needs_change(),
    along(kind::CONTAINS).from(&CONTAINERS).needs_change(),
    back(kind::ATTACHED_TO).from(&[VPC]).needs_change(),
    // Load balancing.
    along(kind::ATTACHED_TO)
        .from(&[TARGET_GROUP])
        .to(&[LOAD_BALANCER]),
    back(kind::ROUTES_TO)
        .from(&[TARGET_GROUP])
        .to(&[LISTENER, LISTENER_RULE]),
    along(kind::PART_OF)
        .from(&[LISTENER, LISTENER_RULE])
        .to(&[LISTENER, LOAD_BALANCER]),
    back(kind::ROUTES_TO)
        .from(&["k8s.service"])
        .to(&["k8s.ingress"]),
    // Groups of machines and of databases. The members of a cluster do not depend on each other.
    back(kind::ATTACHED_TO)
        .from(&["AWS::EC2::LaunchTemplate"])
        .to(&[AUTO_SCALING_GROUP]),
    back(kind::MEMBER_OF)
        .from(&[AUTO_SCALING_GROUP])
        .to(&[INSTANCE]),
    along(kind::MEMBER_OF)
        .from(&[DB_INSTANCE])
        .to(&[DB_CLUSTER]),
    back(kind::MEMBER_OF).from(&[DB_CLUSTER]).needs_change(),
    back(kind::ATTACHED_TO)
        .from(&[DB_INSTANCE])
        .to(&[DB_INSTANCE]),
    back(kind::PART_OF).from(&COLLECTIONS),
    // The edge leads from a role to its policies. The rule has no `from`, since the kind of a policy is unknown if no
    // scan covers policies.
    back(kind::ATTACHED_TO).to(&["AWS::IAM::Role"]),
];

/// The kinds of all edges that any rule follows. A graph that serves only this walk needs no other edges.
pub const EDGE_KINDS: [&str; 14] = [
    kind::SECURED_BY,
    kind::RUNS_ON,
    kind::TARGETS,
    kind::CALLS,
    kind::ASSUMES,
    kind::ENCRYPTED_BY,
    kind::DNS_POINTS_TO,
    kind::OWNED_BY,
    kind::ALLOWS_TRAFFIC_FROM,
    kind::PART_OF,
    kind::ATTACHED_TO,
    kind::ROUTES_TO,
    kind::MEMBER_OF,
    kind::CONTAINS,
];

/// Whether nodes of this kind contain other nodes, which may be unrelated to each other: a VPC, a subnet, an account, a
/// cluster, a namespace, a DNS zone.
pub fn is_container(kind: &str) -> bool {
    CONTAINERS.contains(&kind) || COLLECTIONS.contains(&kind)
}

/// Whether edges of this kind only group nodes, and carry neither traffic nor a dependency.
pub fn is_grouping(edge_kind: &str) -> bool {
    GROUPING.contains(&edge_kind)
}

/// A rule that follows edges from their end to their start.
const fn back(edge_kind: &'static str) -> ImpactRule {
    follow(edge_kind, Direction::In)
}

/// A rule that follows edges from their start to their end.
const fn along(edge_kind: &'static str) -> ImpactRule {
    follow(edge_kind, Direction::Out)
}

const fn follow(edge_kind: &'static str, direction: Direction) -> ImpactRule {
    ImpactRule {
        edge_kind,
        direction,
        from: &[],
        to: &[],
        needs_change: false,
        role: ImpactRole::Dependent,
    }
}

impl ImpactRule {
    const fn from(self, from: &'static [&'static str]) -> ImpactRule {
        ImpactRule { from, ..self }
    }

    const fn to(self, to: &'static [&'static str]) -> ImpactRule {
        ImpactRule { to, ..self }
    }

    const fn needs_change(self) -> ImpactRule {
        ImpactRule {
            needs_change: true,
            ..self
        }
    }

    const fn with_role(self, role: ImpactRole) -> ImpactRule {
        ImpactRule { role, ..self }
    }

    /// All rules that the walk applies to a node of this kind in this role.
    pub(super) fn all_from(kind: &str, role: ImpactRole) -> Vec<&'static ImpactRule> {
        let stops = match role {
            ImpactRole::Changed => false,
            ImpactRole::Dependent => CONTAINERS.contains(&kind),
            ImpactRole::Leaf => true,
        };
        let applies = |rule: &&ImpactRule| {
            (rule.from.is_empty() || rule.from.contains(&kind))
                && (!rule.needs_change || role == ImpactRole::Changed)
        };
        RULES.iter().filter(|_| !stops).filter(applies).collect()
    }

    /// Whether the rule follows edges to nodes of this kind.
    pub(super) fn leads_to(&self, kind: &str) -> bool {
        self.to.is_empty() || self.to.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{EDGE_KINDS, ImpactRole, ImpactRule, RULES, is_container, is_grouping};

    #[test]
    fn edge_kinds_are_exactly_the_kinds_that_rules_follow() {
        let listed: BTreeSet<&str> = EDGE_KINDS.into_iter().collect();
        let followed: BTreeSet<&str> = RULES.iter().map(|rule| rule.edge_kind).collect();
        assert_eq!(listed, followed);
    }

    #[test]
    fn subnets_and_zones_are_containers_and_services_are_not() {
        for container in [
            "AWS::EC2::Subnet",
            "k8s.namespace",
            "AWS::Route53::HostedZone",
        ] {
            assert!(is_container(container), "{container}");
        }
        for other in [
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::Instance",
            "service",
            "",
        ] {
            assert!(!is_container(other), "{other}");
        }
    }

    #[test]
    fn part_of_is_a_grouping_edge_and_calls_is_not() {
        assert!(is_grouping("PART_OF") && !is_grouping("CALLS") && !is_grouping("RUNS_ON"));
    }

    #[test]
    fn the_walk_stops_at_a_container_that_has_not_changed() {
        assert!(ImpactRule::all_from("AWS::EC2::VPC", ImpactRole::Dependent).is_empty());
        assert!(!ImpactRule::all_from("AWS::EC2::VPC", ImpactRole::Changed).is_empty());
        assert!(ImpactRule::all_from("service", ImpactRole::Leaf).is_empty());
    }
}
