//! What the graph in memory knows, and what it forgets.

use pipeline::component::Processor;
use serde_json::json;

use super::telling::{complete, edge_set, fact, names, removed, scan, scanned, seen};
use super::{at, impact, of_drift, shop, tell, touched};

const DAY: u64 = 24 * 60 * 60;

#[test]
fn the_newest_set_of_edges_counts_whatever_the_order() {
    let mut shop = shop();
    tell(&mut shop, edge_set("i", 30, &[("SECURED_BY", "other")]));
    tell(&mut shop, edge_set("i", 20, &[("SECURED_BY", "sg")]));
    assert_eq!(touched(&mut shop, "sg", 40), [""; 0]);
    assert_eq!(touched(&mut shop, "other", 40)[0], "i");
    tell(&mut shop, edge_set("i", 40, &[]));
    assert_eq!(touched(&mut shop, "other", 40), [""; 0]);
    tell(&mut shop, edge_set("i", 50, &[("SECURED_BY", "sg")]));
    assert_eq!(touched(&mut shop, "sg", 60).len(), 4);
}

#[test]
fn a_snapshot_holds_while_its_claim_has_its_state() {
    let mut shop = impact(&json!({}));
    let tell_all = |shop: &mut _, batches: [pipeline::Batch; 2]| {
        batches.into_iter().for_each(|batch| tell(shop, batch));
    };
    tell_all(&mut shop, scanned("s", 10, ("i", 7), "sg"));
    tell(&mut shop, complete("s", 10, &["i"]));
    assert_eq!(touched(&mut shop, "sg", 15), ["i"]);
    tell_all(&mut shop, scanned("s", 30, ("i", 8), "other"));
    assert_eq!(touched(&mut shop, "sg", 40), [""; 0]);
    assert_eq!(touched(&mut shop, "other", 40), ["i"]);
    tell_all(&mut shop, scanned("s", 20, ("i", 9), "sg"));
    assert_eq!(touched(&mut shop, "sg", 40), [""; 0], "an older state");
    tell_all(&mut shop, scanned("t", 35, ("i", 5), "sg"));
    assert_eq!(touched(&mut shop, "sg", 40), ["i"], "another scope's");
    tell(&mut shop, removed("t", 50, "i", "deleted"));
    assert_eq!(touched(&mut shop, "sg", 60), [""; 0]);
    assert_eq!(touched(&mut shop, "other", 60), ["i"]);
}

#[test]
fn what_two_scopes_see_exists_while_one_of_them_does() {
    for op in ["deleted", "released"] {
        let mut shop = shop();
        tell(&mut shop, scan("t", 12, &[("i", "AWS::EC2::Instance")]));
        tell(&mut shop, complete("s", 20, &["sg", "pod"]));
        assert_eq!(touched(&mut shop, "sg", 30).len(), 4, "t sees it");
        tell(&mut shop, complete("t", 40, &["i"]));
        tell(&mut shop, complete("s", 50, &["sg", "pod"]));
        assert_eq!(touched(&mut shop, "sg", 60).len(), 4);
        tell(&mut shop, removed("t", 70, "i", op));
        let left = if op == "deleted" { 0 } else { 4 };
        assert_eq!(touched(&mut shop, "sg", 80).len(), left, "{op}");
    }
}

#[test]
fn a_filter_that_a_receiver_leaves_ends_nothing() {
    let mut shop = shop();
    tell(&mut shop, removed("s", 20, "i", "released"));
    assert_eq!(touched(&mut shop, "sg", 30).len(), 4);
}

#[test]
fn what_is_seen_by_itself_holds_for_a_time() {
    let mut shop = shop();
    assert_eq!(touched(&mut shop, "cart", DAY), ["front"]);
    assert_eq!(touched(&mut shop, "cart", DAY + 20), [""; 0]);
    tell(&mut shop, seen("front", "CALLS", "cart", DAY));
    assert_eq!(touched(&mut shop, "cart", DAY + 20), ["front"]);
}

#[test]
fn a_completed_scan_ends_what_it_no_longer_sees() {
    let mut shop = shop();
    tell(&mut shop, complete("s", 20, &["sg", "i", "pod"]));
    assert_eq!(touched(&mut shop, "sg", 30).len(), 4);
    tell(&mut shop, complete("s", 30, &["sg", "i"]));
    assert_eq!(touched(&mut shop, "sg", 40), ["i"]);
    tell(&mut shop, complete("another", 35, &["sg"]));
    assert_eq!(touched(&mut shop, "sg", 40), ["i"], "of another scope");
    tell(
        &mut shop,
        scan("s", 50, &[("sg", "x"), ("i", "x"), ("pod", "k8s.pod")]),
    );
    assert_eq!(touched(&mut shop, "sg", 60).len(), 4);
}

#[test]
fn a_scan_that_is_told_late_revives_nothing() {
    let mut shop = shop();
    tell(&mut shop, complete("s", 30, &["sg"]));
    tell(
        &mut shop,
        scan("s", 20, &[("sg", "x"), ("i", "x"), ("new", "x")]),
    );
    assert_eq!(touched(&mut shop, "sg", 40), [""; 0]);
    tell(&mut shop, edge_set("new", 20, &[("SECURED_BY", "sg")]));
    assert_eq!(
        touched(&mut shop, "sg", 40),
        [""; 0],
        "the scan at 30 missed it"
    );
}

#[test]
fn a_deletion_ends_and_telemetry_does_not_revive() {
    let mut shop = shop();
    tell(&mut shop, fact("i", "lifecycle", "deleted", "x", 20));
    assert_eq!(touched(&mut shop, "sg", 30), [""; 0]);
    tell(&mut shop, fact("i", "telemetry", "observed", "x", 25));
    assert_eq!(touched(&mut shop, "sg", 30), [""; 0]);
    // What was deleted still leads to what depended on it.
    assert_eq!(touched(&mut shop, "i", 30)[0], "pod");
    tell(&mut shop, fact("i", "lifecycle", "observed", "x", 30));
    assert_eq!(touched(&mut shop, "sg", 40), [""; 0], "its edges ended");
    tell(&mut shop, edge_set("i", 30, &[("SECURED_BY", "sg")]));
    assert_eq!(touched(&mut shop, "sg", 40).len(), 4);
}

#[test]
fn a_placeholder_gets_its_kind_when_its_resource_comes() {
    let mut routed = impact(&json!({}));
    tell(
        &mut routed,
        edge_set("rt", 10, &[("ATTACHED_TO", "subnet")]),
    );
    tell(&mut routed, edge_set("i", 10, &[("PART_OF", "subnet")]));
    assert_eq!(touched(&mut routed, "rt", 20), [""; 0]);
    tell(
        &mut routed,
        scan("a", 10, &[("rt", "AWS::EC2::RouteTable")]),
    );
    tell(
        &mut routed,
        scan("b", 10, &[("subnet", "AWS::EC2::Subnet")]),
    );
    assert_eq!(touched(&mut routed, "rt", 20), ["subnet", "i"]);
}

#[test]
fn what_is_there_says_the_kind_before_what_telemetry_says() {
    let mut shop = shop();
    tell(&mut shop, fact("i", "telemetry", "observed", "host", 30));
    let told = of_drift(&mut shop, "sg", 40);
    assert_eq!(told["top"][0]["kind"], "AWS::EC2::Instance");
}

#[test]
fn two_names_of_one_thing_are_one_node() {
    let mut shop = shop();
    tell(&mut shop, seen("mail", "CALLS", "ext://db:5432", 10));
    assert_eq!(touched(&mut shop, "ext://db:5432", 20), ["mail"]);
    let of_i = [("id", "i-1"), ("same_as", "ext://db:5432")];
    tell(&mut shop, names("i", 20, &of_i));
    assert_eq!(touched(&mut shop, "sg", 30)[..2], ["i", "mail"]);
    assert_eq!(
        touched(&mut shop, "ext://db:5432", 30)[..2],
        ["mail", "pod"]
    );
    tell(&mut shop, names("i", 40, &[("id", "i-1")]));
    assert_eq!(touched(&mut shop, "ext://db:5432", 50), ["mail"]);
    tell(&mut shop, names("i", 30, &of_i));
    let late = touched(&mut shop, "ext://db:5432", 50);
    assert_eq!(late, ["mail"], "an older set counts no more");
}

#[test]
fn of_two_that_claim_a_name_the_one_that_lives_has_it() {
    let mut shop = shop();
    tell(&mut shop, seen("mail", "CALLS", "ext://10.0.0.5:", 10));
    for uid in ["i", "pod"] {
        tell(&mut shop, names(uid, 10, &[("same_as", "ext://10.0.0.5:")]));
    }
    assert!(touched(&mut shop, "i", 20).contains(&"mail".to_owned()));
    tell(&mut shop, fact("i", "lifecycle", "deleted", "x", 20));
    assert!(touched(&mut shop, "pod", 30).contains(&"mail".to_owned()));
}

#[test]
fn nodes_beyond_the_limit_are_left_out_and_counted() {
    let mut small = impact(&json!({"max_nodes_held": 3}));
    for uid in ["a", "b", "c", "d"] {
        tell(&mut small, seen(uid, "CALLS", "db", 10));
    }
    assert_eq!(small.graph.len(), 3);
    assert_eq!(small.nodes_left_out.get(), 2);
    let told = of_drift(&mut small, "db", 20);
    assert_eq!(
        (&told["count"], &told["truncated"]),
        (&json!(2), &json!(true))
    );
}

#[test]
fn what_is_over_is_forgotten_and_its_place_used_again() {
    let mut churn = impact(&json!({"max_nodes_held": 4}));
    for hour in 0..50 {
        let (now, pod) = (hour * 7200, format!("pod-{hour}"));
        tell(
            &mut churn,
            fact(&pod, "lifecycle", "observed", "k8s.pod", now),
        );
        tell(&mut churn, edge_set(&pod, now, &[("RUNS_ON", "node")]));
        let address = format!("ext://10.0.0.{hour}:");
        tell(&mut churn, names(&pod, now, &[("same_as", &address)]));
        assert_eq!(touched(&mut churn, "node", now), [pod.as_str()]);
        tell(
            &mut churn,
            fact(&pod, "lifecycle", "deleted", "k8s.pod", now + 10),
        );
        churn.tick(at(now + 7000));
    }
    assert_eq!(churn.nodes_left_out.get(), 0);
    assert!(churn.graph.len() <= 2, "{}", churn.graph.len());
}

#[test]
fn a_service_that_is_silent_for_long_is_forgotten_and_what_a_scan_saw_is_not() {
    let mut shop = shop();
    tell(
        &mut shop,
        fact("cart", "telemetry", "observed", "service", 10),
    );
    let held = shop.graph.len();
    shop.tick(at(3600));
    assert_eq!(shop.graph.len(), held);
    shop.tick(at(2 * DAY));
    assert_eq!(shop.graph.len(), held - 2, "cart and front");
    assert_eq!(touched(&mut shop, "sg", 2 * DAY), ["i", "pod"]);
}

#[test]
fn it_says_how_large_it_is() {
    let mut shop = shop();
    let before = shop.held();
    tell(&mut shop, seen("front", "CALLS", "payment", 10));
    let after = shop.held();
    assert_eq!(
        (after.nodes, after.edges),
        (before.nodes + 1, before.edges + 1)
    );
    assert!(after.node_bytes >= before.node_bytes + "payment".len());
    assert!(after.edge_bytes >= after.edges * 20);
}
