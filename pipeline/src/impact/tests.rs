//! Walks over small graphs.

use super::{Impact, ImpactWalk, WalkEdge, WalkLimits};
use crate::graph_store::Direction;

/// Edges: from, kind, to, confidence. The text before the colon of a node determines its kind.
struct Graph(Vec<(&'static str, &'static str, &'static str, f64)>);

const LIMITS: WalkLimits = WalkLimits {
    depth: 5,
    nodes: 10_000,
};

fn graph(edges: &[(&'static str, &'static str, &'static str)]) -> Graph {
    let edges = edges
        .iter()
        .map(|(from, kind, to)| (*from, *kind, *to, 1.0));
    Graph(edges.collect())
}

/// `sg:1` is a security group, `service:cart` a service.
fn kind(node: &str) -> &str {
    match node.split(':').next().unwrap_or_default() {
        "sg" => "AWS::EC2::SecurityGroup",
        "rule" => "AWS::EC2::SecurityGroupRule",
        "eni" => "AWS::EC2::NetworkInterface",
        "i" => "AWS::EC2::Instance",
        "vpc" => "AWS::EC2::VPC",
        "subnet" => "AWS::EC2::Subnet",
        "rt" => "AWS::EC2::RouteTable",
        "nat" => "AWS::EC2::NatGateway",
        "rds" => "AWS::RDS::DBInstance",
        "cluster" => "AWS::RDS::DBCluster",
        "lb" => "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "tg" => "AWS::ElasticLoadBalancingV2::TargetGroup",
        "listener" => "AWS::ElasticLoadBalancingV2::Listener",
        "role" => "AWS::IAM::Role",
        "profile" => "AWS::IAM::InstanceProfile",
        "record" => "AWS::Route53::RecordSet",
        "pod" => "k8s.pod",
        other => other,
    }
}

impl Graph {
    fn impact(&self, start: &'static str, limits: WalkLimits) -> Impact<&'static str> {
        let mut walk = ImpactWalk::new(start, kind(start), limits);
        loop {
            for (near, directions) in walk.frontier() {
                for (from, edge_kind, to, confidence) in &self.0 {
                    for (direction, end, far) in
                        [(Direction::Out, from, to), (Direction::In, to, from)]
                    {
                        if *end == near && directions.contains(&direction) {
                            walk.follow(&WalkEdge {
                                near: end,
                                edge_kind,
                                direction,
                                far,
                                far_kind: kind(far),
                                confidence: *confidence,
                            });
                        }
                    }
                }
            }
            if !walk.advance() {
                return walk.finish();
            }
        }
    }

    /// The reached nodes, best score first.
    fn reached(&self, start: &'static str) -> Vec<&'static str> {
        let impact = self.impact(start, LIMITS);
        impact.top(100).iter().map(|it| *it.node).collect()
    }
}

#[test]
fn a_security_group_reaches_the_services_behind_its_instances_in_five_hops() {
    let graph = graph(&[
        ("eni:1", "SECURED_BY", "sg:1"),
        ("eni:1", "ATTACHED_TO", "i:1"),
        ("pod:1", "RUNS_ON", "i:1"),
        ("service:cart", "RUNS_ON", "pod:1"),
        ("service:front", "CALLS", "service:cart"),
        ("service:far", "CALLS", "service:front"),
        ("i:1", "PART_OF", "subnet:1"),
        ("subnet:1", "PART_OF", "vpc:1"),
        ("sg:1", "PART_OF", "vpc:1"),
    ]);
    let impact = graph.impact("sg:1", LIMITS);
    let all = impact.top(100);
    let nodes: Vec<_> = all.iter().map(|reached| *reached.node).collect();
    assert_eq!(
        nodes,
        ["eni:1", "i:1", "pod:1", "service:cart", "service:front"]
    );
    assert_eq!((impact.count(), impact.depth()), (5, 5));
    let last = &all[4];
    assert!((last.score - 0.7f64.powi(5)).abs() < 1e-9);
    assert_eq!(last.kind, "service");
    assert_eq!(
        last.edge_kinds,
        ["SECURED_BY", "ATTACHED_TO", "RUNS_ON", "RUNS_ON", "CALLS"]
    );
    assert_eq!((last.path[0], last.path.len()), (&"sg:1", 6));
    assert!(!impact.is_truncated());
}

#[test]
fn the_walk_stops_at_a_security_group_that_admits_traffic_from_the_changed_one() {
    let graph = graph(&[
        ("sg:2", "ALLOWS_TRAFFIC_FROM", "sg:1"),
        ("sg:3", "ALLOWS_TRAFFIC_FROM", "sg:2"),
        ("i:2", "SECURED_BY", "sg:2"),
        ("rule:9", "ALLOWS_TRAFFIC_FROM", "sg:1"),
        ("rule:1", "PART_OF", "sg:1"),
    ]);
    assert_eq!(graph.reached("sg:1"), ["sg:2"]);
    assert_eq!(graph.reached("rule:1"), ["sg:1", "sg:2"]);
}

#[test]
fn the_walk_continues_from_a_node_that_is_a_leaf_on_another_path() {
    let graph = graph(&[
        ("sg:2", "ALLOWS_TRAFFIC_FROM", "sg:1"),
        ("sg:1", "PART_OF", "vpc:1"),
        ("sg:2", "PART_OF", "vpc:1"),
        ("i:2", "SECURED_BY", "sg:2"),
    ]);
    assert_eq!(graph.reached("vpc:1"), ["sg:1", "sg:2", "i:2"]);
}

#[test]
fn a_route_table_reaches_its_subnets_and_a_gateway_reaches_its_route_tables() {
    let graph = graph(&[
        ("rt:1", "ATTACHED_TO", "subnet:1"),
        ("rt:1", "PART_OF", "vpc:1"),
        ("rt:1", "ROUTES_TO", "nat:1"),
        ("nat:1", "PART_OF", "subnet:public"),
        ("eni:1", "PART_OF", "subnet:1"),
        ("eni:1", "ATTACHED_TO", "i:1"),
        ("subnet:1", "PART_OF", "vpc:1"),
        ("subnet:2", "PART_OF", "vpc:1"),
    ]);
    assert_eq!(graph.reached("rt:1"), ["subnet:1", "eni:1", "i:1"]);
    assert_eq!(graph.reached("nat:1"), ["rt:1", "subnet:1", "eni:1", "i:1"]);
}

#[test]
fn the_walk_continues_from_a_container_only_if_the_container_changed() {
    let graph = graph(&[
        ("i:1", "PART_OF", "subnet:1"),
        ("subnet:1", "PART_OF", "vpc:1"),
        ("rds:1", "PART_OF", "subnet:1"),
    ]);
    assert_eq!(graph.reached("subnet:1"), ["i:1", "rds:1"]);
    assert_eq!(graph.reached("vpc:1"), ["subnet:1"]);
    assert_eq!(graph.reached("i:1"), [""; 0]);
}

#[test]
fn a_role_reaches_the_nodes_that_assume_it() {
    let graph = graph(&[
        ("profile:1", "ASSUMES", "role:1"),
        ("i:1", "ASSUMES", "profile:1"),
        ("rds:1", "ENCRYPTED_BY", "key:1"),
        ("role:1", "ATTACHED_TO", "policy:1"),
        ("service:cart", "CALLS", "rds:1"),
    ]);
    assert_eq!(graph.reached("role:1"), ["profile:1", "i:1"]);
    assert_eq!(graph.reached("key:1"), ["rds:1", "service:cart"]);
    assert_eq!(graph.reached("policy:1"), ["role:1", "profile:1", "i:1"]);
}

#[test]
fn a_target_reaches_its_load_balancer_its_dns_records_and_its_callers() {
    let graph = graph(&[
        ("tg:1", "TARGETS", "i:1"),
        ("tg:1", "ATTACHED_TO", "lb:1"),
        ("listener:1", "ROUTES_TO", "tg:1"),
        ("listener:1", "PART_OF", "lb:1"),
        ("record:1", "DNS_POINTS_TO", "lb:1"),
        ("service:front", "CALLS", "record:1"),
    ]);
    assert_eq!(
        graph.reached("i:1"),
        ["tg:1", "lb:1", "listener:1", "record:1", "service:front"]
    );
    assert_eq!(
        graph.reached("listener:1"),
        ["lb:1", "record:1", "service:front"]
    );
}

#[test]
fn a_database_reaches_its_cluster_but_not_the_other_members() {
    let graph = graph(&[
        ("rds:1", "MEMBER_OF", "cluster:1"),
        ("rds:2", "MEMBER_OF", "cluster:1"),
        ("service:cart", "CALLS", "cluster:1"),
    ]);
    assert_eq!(graph.reached("rds:1"), ["cluster:1", "service:cart"]);
    assert_eq!(
        graph.reached("cluster:1"),
        ["rds:1", "rds:2", "service:cart"]
    );
}

#[test]
fn a_longer_path_with_a_better_score_replaces_a_shorter_one() {
    let mut graph = graph(&[
        ("service:b", "CALLS", "service:a"),
        ("service:d", "CALLS", "service:c"),
    ]);
    graph.0.push(("service:c", "CALLS", "service:a", 0.1));
    graph.0.push(("service:c", "CALLS", "service:b", 0.9));
    let impact = graph.impact("service:a", LIMITS);
    let all = impact.top(100);
    let scores: Vec<_> = all.iter().map(|it| (*it.node, it.path.len() - 1)).collect();
    assert_eq!(
        scores,
        [("service:b", 1), ("service:c", 2), ("service:d", 3)]
    );
    assert!((all[1].score - 0.49 * 0.9).abs() < 1e-9);
    // With two hops, the walk reaches `service:d` over the shorter path to `service:c`.
    let impact = graph.impact("service:a", WalkLimits { depth: 2, ..LIMITS });
    assert_eq!(impact.top(100).len(), 3);
}

#[test]
fn the_order_of_the_edges_does_not_decide_between_paths_with_equal_scores() {
    let mut edges = vec![
        ("service:x", "CALLS", "service:c"),
        ("service:x", "CALLS", "service:b"),
        ("service:b", "CALLS", "service:a"),
        ("service:c", "CALLS", "service:a"),
    ];
    for _ in 0..4 {
        edges.rotate_left(1);
        let graph = graph(&edges);
        let impact = graph.impact("service:a", LIMITS);
        let all = impact.top(100);
        assert_eq!(all[2].path, [&"service:a", &"service:b", &"service:x"]);
    }
}

#[test]
fn a_walk_that_reaches_its_limit_is_truncated() {
    let graph = graph(&[
        ("service:b", "CALLS", "service:a"),
        ("service:c", "CALLS", "service:a"),
        ("service:d", "CALLS", "service:b"),
        ("service:a", "CALLS", "service:d"),
    ]);
    let impact = graph.impact("service:a", WalkLimits { nodes: 2, ..LIMITS });
    let nodes: Vec<_> = impact.top(100).iter().map(|it| *it.node).collect();
    assert_eq!(nodes, ["service:b", "service:c"]);
    assert!(impact.is_truncated());
    assert_eq!(
        graph.reached("service:a").len(),
        3,
        "the walk ends although the calls form a cycle"
    );
    let impact = graph.impact("service:a", WalkLimits { depth: 0, ..LIMITS });
    assert_eq!((impact.count(), impact.depth()), (0, 0));
}

#[test]
fn a_level_has_one_query_for_each_direction() {
    let walk = ImpactWalk::new("i:1", kind("i:1"), LIMITS);
    let queries = walk.edge_queries();
    assert_eq!(queries.len(), 1);
    assert_eq!(
        (queries[0].direction, &queries[0].nodes[..]),
        (Direction::In, &["i:1"][..])
    );
    let edge_kinds = &queries[0].edge_kinds;
    assert!(edge_kinds.contains(&"RUNS_ON") && edge_kinds.contains(&"TARGETS"));
    let walk = ImpactWalk::new("eni:1", kind("eni:1"), LIMITS);
    let out = &walk.edge_queries()[1];
    assert_eq!(
        (out.direction, &out.edge_kinds[..]),
        (Direction::Out, &["ATTACHED_TO"][..])
    );
}
