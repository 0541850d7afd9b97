//! Which nodes and edges the graph in memory holds, and which it evicts.

use pipeline::component::Processor;
use serde_json::json;

use super::batches::{
    alias_snapshot, edge_snapshot, fact, observed_edge, scan, scan_completion, scan_rows,
    scope_removal,
};
use super::{affected, apply, at, drift_impact, impact, shop};

const DAY: u64 = 24 * 60 * 60;

#[test]
fn newest_edge_snapshot_wins_in_any_order() {
    let mut shop = shop();
    apply(
        &mut shop,
        edge_snapshot("i", 30, &[("SECURED_BY", "other")]),
    );
    apply(&mut shop, edge_snapshot("i", 20, &[("SECURED_BY", "sg")]));
    assert_eq!(affected(&mut shop, "sg", 40), [""; 0]);
    assert_eq!(affected(&mut shop, "other", 40)[0], "i");
    apply(&mut shop, edge_snapshot("i", 40, &[]));
    assert_eq!(affected(&mut shop, "other", 40), [""; 0]);
    apply(&mut shop, edge_snapshot("i", 50, &[("SECURED_BY", "sg")]));
    assert_eq!(affected(&mut shop, "sg", 60).len(), 4);
}

#[test]
fn edges_of_a_snapshot_are_current_while_its_claim_has_its_state() {
    let mut shop = impact(&json!({}));
    let apply_all = |shop: &mut _, batches: [pipeline::Batch; 2]| {
        batches.into_iter().for_each(|batch| apply(shop, batch));
    };
    apply_all(&mut shop, scan_rows("s", 10, ("i", 7), "sg"));
    apply(&mut shop, scan_completion("s", 10, &["i"]));
    assert_eq!(affected(&mut shop, "sg", 15), ["i"]);
    apply_all(&mut shop, scan_rows("s", 30, ("i", 8), "other"));
    assert_eq!(affected(&mut shop, "sg", 40), [""; 0]);
    assert_eq!(affected(&mut shop, "other", 40), ["i"]);
    apply_all(&mut shop, scan_rows("s", 20, ("i", 9), "sg"));
    assert_eq!(
        affected(&mut shop, "sg", 40),
        [""; 0],
        "an older state does not apply"
    );
    apply_all(&mut shop, scan_rows("t", 35, ("i", 5), "sg"));
    assert_eq!(
        affected(&mut shop, "sg", 40),
        ["i"],
        "another scope reports the edge"
    );
    apply(&mut shop, scope_removal("t", 50, "i", "deleted"));
    assert_eq!(affected(&mut shop, "sg", 60), [""; 0]);
    assert_eq!(affected(&mut shop, "other", 60), ["i"]);
}

#[test]
fn node_of_two_scopes_exists_while_one_scope_reports_it() {
    for op in ["deleted", "released"] {
        let mut shop = shop();
        apply(&mut shop, scan("t", 12, &[("i", "AWS::EC2::Instance")]));
        apply(&mut shop, scan_completion("s", 20, &["sg", "pod"]));
        assert_eq!(
            affected(&mut shop, "sg", 30).len(),
            4,
            "scope t still has i"
        );
        apply(&mut shop, scan_completion("t", 40, &["i"]));
        apply(&mut shop, scan_completion("s", 50, &["sg", "pod"]));
        assert_eq!(affected(&mut shop, "sg", 60).len(), 4);
        apply(&mut shop, scope_removal("t", 70, "i", op));
        let expected = if op == "deleted" { 0 } else { 4 };
        assert_eq!(affected(&mut shop, "sg", 80).len(), expected, "{op}");
    }
}

#[test]
fn released_row_does_not_end_a_node() {
    let mut shop = shop();
    apply(&mut shop, scope_removal("s", 20, "i", "released"));
    assert_eq!(affected(&mut shop, "sg", 30).len(), 4);
}

#[test]
fn observed_edge_expires_after_its_ttl() {
    let mut shop = shop();
    assert_eq!(affected(&mut shop, "cart", DAY), ["front"]);
    assert_eq!(affected(&mut shop, "cart", DAY + 20), [""; 0]);
    apply(&mut shop, observed_edge("front", "CALLS", "cart", DAY));
    assert_eq!(affected(&mut shop, "cart", DAY + 20), ["front"]);
}

#[test]
fn completed_scan_ends_nodes_that_it_lacks() {
    let mut shop = shop();
    apply(&mut shop, scan_completion("s", 20, &["sg", "i", "pod"]));
    assert_eq!(affected(&mut shop, "sg", 30).len(), 4);
    apply(&mut shop, scan_completion("s", 30, &["sg", "i"]));
    assert_eq!(affected(&mut shop, "sg", 40), ["i"]);
    apply(&mut shop, scan_completion("another", 35, &["sg"]));
    assert_eq!(
        affected(&mut shop, "sg", 40),
        ["i"],
        "the scan of another scope ends nothing"
    );
    apply(
        &mut shop,
        scan("s", 50, &[("sg", "x"), ("i", "x"), ("pod", "k8s.pod")]),
    );
    assert_eq!(affected(&mut shop, "sg", 60).len(), 4);
}

#[test]
fn late_scan_does_not_revive_a_node() {
    let mut shop = shop();
    apply(&mut shop, scan_completion("s", 30, &["sg"]));
    apply(
        &mut shop,
        scan("s", 20, &[("sg", "x"), ("i", "x"), ("new", "x")]),
    );
    assert_eq!(affected(&mut shop, "sg", 40), [""; 0]);
    apply(&mut shop, edge_snapshot("new", 20, &[("SECURED_BY", "sg")]));
    assert_eq!(
        affected(&mut shop, "sg", 40),
        [""; 0],
        "the scan at 30 missed the node new"
    );
}

#[test]
fn telemetry_does_not_revive_a_deleted_node() {
    let mut shop = shop();
    apply(&mut shop, fact("i", "lifecycle", "deleted", "x", 20));
    assert_eq!(affected(&mut shop, "sg", 30), [""; 0]);
    apply(&mut shop, fact("i", "telemetry", "observed", "x", 25));
    assert_eq!(affected(&mut shop, "sg", 30), [""; 0]);
    // The impact of a change of the deleted node still has the nodes that depended on it.
    assert_eq!(affected(&mut shop, "i", 30)[0], "pod");
    apply(&mut shop, fact("i", "lifecycle", "observed", "x", 30));
    assert_eq!(affected(&mut shop, "sg", 40), [""; 0], "its edges ended");
    apply(&mut shop, edge_snapshot("i", 30, &[("SECURED_BY", "sg")]));
    assert_eq!(affected(&mut shop, "sg", 40).len(), 4);
}

#[test]
fn node_that_was_known_only_as_the_end_of_an_edge_gets_its_kind_from_a_scan() {
    let mut routed = impact(&json!({}));
    apply(
        &mut routed,
        edge_snapshot("rt", 10, &[("ATTACHED_TO", "subnet")]),
    );
    apply(
        &mut routed,
        edge_snapshot("i", 10, &[("PART_OF", "subnet")]),
    );
    assert_eq!(affected(&mut routed, "rt", 20), [""; 0]);
    apply(
        &mut routed,
        scan("a", 10, &[("rt", "AWS::EC2::RouteTable")]),
    );
    apply(
        &mut routed,
        scan("b", 10, &[("subnet", "AWS::EC2::Subnet")]),
    );
    assert_eq!(affected(&mut routed, "rt", 20), ["subnet", "i"]);
}

#[test]
fn kind_from_a_scan_takes_precedence_over_telemetry() {
    let mut shop = shop();
    apply(&mut shop, fact("i", "telemetry", "observed", "host", 30));
    let impact = drift_impact(&mut shop, "sg", 40);
    assert_eq!(impact["top"][0]["kind"], "AWS::EC2::Instance");
}

#[test]
fn two_uids_joined_by_same_as_are_one_node() {
    let mut shop = shop();
    apply(
        &mut shop,
        observed_edge("mail", "CALLS", "ext://db:5432", 10),
    );
    assert_eq!(affected(&mut shop, "ext://db:5432", 20), ["mail"]);
    let of_i = [("id", "i-1"), ("same_as", "ext://db:5432")];
    apply(&mut shop, alias_snapshot("i", 20, &of_i));
    assert_eq!(affected(&mut shop, "sg", 30)[..2], ["i", "mail"]);
    assert_eq!(
        affected(&mut shop, "ext://db:5432", 30)[..2],
        ["mail", "pod"]
    );
    apply(&mut shop, alias_snapshot("i", 40, &[("id", "i-1")]));
    assert_eq!(affected(&mut shop, "ext://db:5432", 50), ["mail"]);
    apply(&mut shop, alias_snapshot("i", 30, &of_i));
    let late = affected(&mut shop, "ext://db:5432", 50);
    assert_eq!(late, ["mail"], "a late snapshot changes nothing");
}

#[test]
fn name_that_two_nodes_claim_belongs_to_the_node_that_has_not_ended() {
    let mut shop = shop();
    apply(
        &mut shop,
        observed_edge("mail", "CALLS", "ext://10.0.0.5:", 10),
    );
    for uid in ["i", "pod"] {
        apply(
            &mut shop,
            alias_snapshot(uid, 10, &[("same_as", "ext://10.0.0.5:")]),
        );
    }
    assert!(affected(&mut shop, "i", 20).contains(&"mail".to_owned()));
    apply(&mut shop, fact("i", "lifecycle", "deleted", "x", 20));
    assert!(affected(&mut shop, "pod", 30).contains(&"mail".to_owned()));
}

#[test]
fn nodes_beyond_the_limit_are_left_out_and_counted() {
    let mut small = impact(&json!({"max_nodes_held": 3}));
    for uid in ["a", "b", "c", "d"] {
        apply(&mut small, observed_edge(uid, "CALLS", "db", 10));
    }
    assert_eq!(small.graph.len(), 3);
    assert_eq!(small.nodes_left_out.get(), 2);
    let impact = drift_impact(&mut small, "db", 20);
    assert_eq!(
        (&impact["count"], &impact["truncated"]),
        (&json!(2), &json!(true))
    );
}

#[test]
fn ended_nodes_are_evicted_and_their_numbers_reused() {
    let mut churn = impact(&json!({"max_nodes_held": 4}));
    for hour in 0..50 {
        let (now, pod) = (hour * 7200, format!("pod-{hour}"));
        apply(
            &mut churn,
            fact(&pod, "lifecycle", "observed", "k8s.pod", now),
        );
        apply(&mut churn, edge_snapshot(&pod, now, &[("RUNS_ON", "node")]));
        let address = format!("ext://10.0.0.{hour}:");
        apply(
            &mut churn,
            alias_snapshot(&pod, now, &[("same_as", &address)]),
        );
        assert_eq!(affected(&mut churn, "node", now), [pod.as_str()]);
        apply(
            &mut churn,
            fact(&pod, "lifecycle", "deleted", "k8s.pod", now + 10),
        );
        churn.tick(at(now + 7000));
    }
    assert_eq!(churn.nodes_left_out.get(), 0);
    assert!(churn.graph.len() <= 2, "{}", churn.graph.len());
}

#[test]
fn services_without_reports_are_evicted_and_scanned_nodes_are_not() {
    let mut shop = shop();
    apply(
        &mut shop,
        fact("cart", "telemetry", "observed", "service", 10),
    );
    let held = shop.graph.len();
    shop.tick(at(3600));
    assert_eq!(shop.graph.len(), held);
    shop.tick(at(2 * DAY));
    assert_eq!(shop.graph.len(), held - 2, "without cart and front");
    assert_eq!(affected(&mut shop, "sg", 2 * DAY), ["i", "pod"]);
}

#[test]
fn graph_size_counts_nodes_edges_and_bytes() {
    let mut shop = shop();
    let before = shop.graph_size();
    apply(&mut shop, observed_edge("front", "CALLS", "payment", 10));
    let after = shop.graph_size();
    assert_eq!(
        (after.nodes, after.edges),
        (before.nodes + 1, before.edges + 1)
    );
    assert!(after.node_bytes >= before.node_bytes + "payment".len());
    assert!(after.edge_bytes >= after.edges * 20);
}
