//! Which edges lead from what changed to what depends on it.

use crate::schema::edges::kind;

/// Which end of an edge the walk stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// At its start: it is followed as it reads.
    Out,
    /// At its end: it is followed backwards.
    In,
}

/// How a node is reached, which says what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It changed itself, or is affected as though it had: the members of a subnet follow.
    Changed,
    /// It depends on what changed.
    Reached,
    /// It is told, and nothing follows from it.
    End,
}

/// One way that an edge is followed.
#[derive(Clone, Debug)]
pub struct Rule {
    pub edge: &'static str,
    pub way: Way,
    /// Kinds of nodes that it is followed from; of all where none is named.
    from: &'static [&'static str],
    /// Kinds of nodes that it is followed to; to all where none is named.
    to: &'static [&'static str],
    /// Only from a node that stands as [`Standing::Changed`].
    needs_change: bool,
    /// How the node is reached.
    pub then: Standing,
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

/// What holds much else. The walk stops there, unless it is what changed.
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

/// What holds things of one kind that all depend on it, so that the walk goes on to them.
const COLLECTIONS: [&str; 2] = ["AWS::RDS::DBSubnetGroup", "AWS::Route53::HostedZone"];

/// Edges that say where a thing lies or what it belongs to, not what it needs or talks to.
const GROUPING: [&str; 4] = [
    kind::CONTAINS,
    kind::PART_OF,
    kind::MEMBER_OF,
    kind::MANAGED_BY,
];

/// What makes pods.
const WORKLOADS: [&str; 6] = [
    "k8s.deployment",
    "k8s.replicaset",
    "k8s.statefulset",
    "k8s.daemonset",
    "k8s.cronjob",
    "k8s.job",
];

/// All rules. (`CONTAINS` is never climbed.)
pub const RULES: &[Rule] = &[
    back(kind::SECURED_BY),
    back(kind::RUNS_ON),
    back(kind::TARGETS),
    back(kind::CALLS),
    back(kind::ASSUMES),
    back(kind::ENCRYPTED_BY),
    back(kind::DNS_POINTS_TO),
    back(kind::OWNED_BY).from(&WORKLOADS),
    // One hop: what a group admits from another is not that other's business.
    back(kind::ALLOWS_TRAFFIC_FROM)
        .to(&[SECURITY_GROUP])
        .then(Standing::End),
    along(kind::PART_OF)
        .from(&["AWS::EC2::SecurityGroupRule"])
        .to(&[SECURITY_GROUP]),
    // What is attached serves what it is attached to.
    along(kind::ATTACHED_TO).from(&[ENI, EIP, "AWS::EC2::Volume"]),
    back(kind::ATTACHED_TO)
        .from(&[ENI, EIP])
        .to(&["AWS::EC2::NatGateway"]),
    // Routing: a gateway's route tables, their subnets, and who is in these.
    back(kind::ROUTES_TO).to(&[ROUTE_TABLE]),
    along(kind::ATTACHED_TO)
        .from(&[ROUTE_TABLE, "AWS::EC2::NetworkAcl"])
        .to(&[SUBNET])
        .then(Standing::Changed),
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
    // Groups of machines and of databases. A cluster's other members do not depend on one.
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
    // A role is attached to its policies, which no scan may know.
    back(kind::ATTACHED_TO).to(&["AWS::IAM::Role"]),
];

/// The kinds of edges that some rule follows: a graph that is only walked needs no others.
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

/// Whether nodes of this kind hold others that need not have anything to do with each other: a VPC, a
/// subnet, an account, a cluster, a namespace, a DNS zone.
pub fn is_container(kind: &str) -> bool {
    CONTAINERS.contains(&kind) || COLLECTIONS.contains(&kind)
}

/// Whether edges of this kind only group things, rather than carry traffic or a dependency.
pub fn is_grouping(edge: &str) -> bool {
    GROUPING.contains(&edge)
}

/// Against the edge.
const fn back(edge: &'static str) -> Rule {
    follow(edge, Way::In)
}

/// As the edge reads.
const fn along(edge: &'static str) -> Rule {
    follow(edge, Way::Out)
}

const fn follow(edge: &'static str, way: Way) -> Rule {
    Rule {
        edge,
        way,
        from: &[],
        to: &[],
        needs_change: false,
        then: Standing::Reached,
    }
}

impl Rule {
    const fn from(self, from: &'static [&'static str]) -> Rule {
        Rule { from, ..self }
    }

    const fn to(self, to: &'static [&'static str]) -> Rule {
        Rule { to, ..self }
    }

    const fn needs_change(self) -> Rule {
        Rule {
            needs_change: true,
            ..self
        }
    }

    const fn then(self, then: Standing) -> Rule {
        Rule { then, ..self }
    }

    /// The rules by which a walk goes on from a node of this kind.
    pub(super) fn at(kind: &str, standing: Standing) -> Vec<&'static Rule> {
        let stops = match standing {
            Standing::Changed => false,
            Standing::Reached => CONTAINERS.contains(&kind),
            Standing::End => true,
        };
        let applies = |rule: &&Rule| {
            (rule.from.is_empty() || rule.from.contains(&kind))
                && (!rule.needs_change || standing == Standing::Changed)
        };
        RULES.iter().filter(|_| !stops).filter(applies).collect()
    }

    pub(super) fn leads_to(&self, kind: &str) -> bool {
        self.to.is_empty() || self.to.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{EDGE_KINDS, RULES, Rule, Standing, is_container, is_grouping};

    #[test]
    fn the_kinds_of_edges_are_those_of_the_rules() {
        let listed: BTreeSet<&str> = EDGE_KINDS.into_iter().collect();
        let followed: BTreeSet<&str> = RULES.iter().map(|rule| rule.edge).collect();
        assert_eq!(listed, followed);
    }

    #[test]
    fn what_holds_others_is_a_container_and_what_talks_to_others_is_not() {
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
        assert!(is_grouping("PART_OF") && !is_grouping("CALLS") && !is_grouping("RUNS_ON"));
    }

    #[test]
    fn nothing_follows_from_a_container_that_has_not_changed() {
        assert!(Rule::at("AWS::EC2::VPC", Standing::Reached).is_empty());
        assert!(!Rule::at("AWS::EC2::VPC", Standing::Changed).is_empty());
        assert!(Rule::at("service", Standing::End).is_empty());
    }
}
