//! Tests of unresolved endpoints, which are resolved once the alias index has their names.

use std::time::Duration;

use pipeline::component::Processor;
use pipeline::schema::{aliases, opening};
use pipeline::{Batch, Refusal, Signal};

use arrow_array::types::TimestampNanosecondType;
use tokio::time::timeout;

use super::cloud::{
    ClientSpan, Cloud, DATABASE, call, call_from, instance, now, peers, record, to,
};
use super::support::at;
use crate::identity::{ENDPOINT_CHECK_INTERVAL, Identity};

const ENDPOINT: &str = "ext://db.example:5432";

/// Ticks once. Returns the emitted aliases `same_as`, as `endpoint → uid since second`.
fn resolved(identity: &mut Identity) -> Vec<String> {
    lines(&identity.tick(now()))
}

/// The aliases `same_as` in these batches.
fn lines(made: &[Batch]) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in made
        .iter()
        .filter(|batch| batch.signal() == Signal::Aliases)
    {
        let times = |column| batch.numbers::<TimestampNanosecondType>(column);
        let words = |column| batch.words(column);
        for row in 0..batch.num_rows() {
            let since = times(aliases::VALID_FROM).value(row);
            assert_eq!(times(opening::TIME).value(row), since);
            assert_eq!(words(aliases::KIND).values().value(0), "same_as");
            assert_eq!(words(aliases::MODE).values().value(0), "observed");
            let seconds = (since - at(0).timestamp()) / 1_000_000_000;
            let (uid, value) = (
                batch.uid().value(row),
                batch.text(aliases::VALUE).value(row),
            );
            lines.push(format!("{value} → {uid} since {seconds}"));
        }
    }
    lines.sort();
    lines
}

/// Processes a span whose peer is unresolved.
fn process_unresolved(identity: &mut Identity, call: ClientSpan) {
    assert_eq!(peers(identity, &[call]), [""]);
}

#[test]
fn an_endpoint_is_resolved_once_a_scan_reports_its_name() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    process_unresolved(&mut identity, call(10, to("db.example")));
    assert_eq!(resolved(&mut identity), [""; 0]);
    cloud.report(DATABASE, 30, &[("dns", "db.example", None)]);
    let expected = [format!("{ENDPOINT} → {DATABASE} since 30")];
    assert_eq!(resolved(&mut identity), expected);
    cloud.report("other", 40, &[("dns", "other.example", None)]);
    assert_eq!(resolved(&mut identity), [""; 0], "it is emitted once");
}

#[tokio::test]
async fn an_unresolved_endpoint_costs_no_tick_until_the_index_has_changed() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    process_unresolved(&mut identity, call(10, to("db.example")));
    assert_eq!(
        identity.tick_within(now()),
        Some(ENDPOINT_CHECK_INTERVAL),
        "the endpoint is new"
    );
    assert_eq!(resolved(&mut identity), [""; 0]);
    assert_eq!(identity.tick_within(now()), None);
    let moment = Duration::from_millis(50);
    assert!(timeout(moment, identity.wake()).await.is_err());

    cloud.report(DATABASE, 30, &[("dns", "db.example", None)]);
    timeout(Duration::from_secs(10), identity.wake())
        .await
        .unwrap();
    // Changes of the index come in bursts, so the tick after `wake` only schedules the lookup.
    assert_eq!(resolved(&mut identity), [""; 0]);
    assert!(timeout(moment, identity.wake()).await.is_err());
    assert_eq!(identity.tick_within(now()), Some(ENDPOINT_CHECK_INTERVAL));
    assert_eq!(resolved(&mut identity).len(), 1);
}

#[test]
fn an_endpoint_is_resolved_even_if_its_span_arrives_after_the_first_scan() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    cloud.report(DATABASE, 30, &[("dns", "db.example", None)]);
    assert_eq!(resolved(&mut identity), [""; 0]);
    process_unresolved(&mut identity, call(10, to("db.example")));
    assert_eq!(resolved(&mut identity).len(), 1);
}

#[test]
fn no_alias_is_emitted_for_an_endpoint_whose_same_as_a_scan_reports() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    process_unresolved(&mut identity, call(10, to("db.example")));
    let names = [("dns", "db.example", None), ("same_as", ENDPOINT, None)];
    cloud.report(DATABASE, 30, &names);
    assert_eq!(resolved(&mut identity), [""; 0]);
}

#[test]
fn a_private_address_is_resolved_within_the_network_of_its_callers() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    process_unresolved(&mut identity, call_from("1", 10, to("10.0.0.9")));
    cloud.report_instance("4", 30, "vpc-2", "10.0.0.9");
    cloud.report_instance("3", 30, "vpc-1", "10.0.0.9");
    assert_eq!(
        resolved(&mut identity),
        [""; 0],
        "the network of the caller is unknown"
    );
    cloud.report_instance("1", 40, "vpc-1", "10.0.0.1");
    let expected = format!("ext://10.0.0.9:5432 → {} since 30", instance("3"));
    assert_eq!(resolved(&mut identity), [expected]);
}

#[test]
fn a_private_address_with_callers_in_two_or_unknown_networks_is_not_resolved() {
    for second_call in [call_from("2", 10, to("10.0.0.9")), call(10, to("10.0.0.9"))] {
        let cloud = Cloud::new();
        let mut identity = cloud.identity();
        process_unresolved(&mut identity, call_from("1", 10, to("10.0.0.9")));
        process_unresolved(&mut identity, second_call);
        for (id, network) in [("1", "vpc-1"), ("2", "vpc-2")] {
            cloud.report_instance(id, 30, network, "10.0.0.1");
        }
        cloud.report_instance("3", 30, "vpc-1", "10.0.0.9");
        assert_eq!(resolved(&mut identity), [""; 0]);
    }
}

#[test]
fn a_name_that_several_nodes_have_or_had_is_not_resolved() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    process_unresolved(&mut identity, call(5, to("db.example")));
    cloud.report("old", 10, &[("dns", "db.example", None)]);
    cloud.delete("old", 20);
    cloud.report("new", 30, &[("dns", "db.example", None)]);
    assert_eq!(resolved(&mut identity), [""; 0]);
}

#[test]
fn a_dns_record_is_resolved_once_its_target_is_known() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    process_unresolved(&mut identity, call(10, to("db.example")));
    cloud.report_record("db.example", 20, &["ext://real.example:"]);
    assert_eq!(resolved(&mut identity), [""; 0], "{}", record("db.example"));
    cloud.report(DATABASE, 30, &[("dns", "real.example", None)]);
    let expected = [format!("{ENDPOINT} → {DATABASE} since 20")];
    assert_eq!(resolved(&mut identity), expected);
}

#[test]
fn an_alias_that_was_not_delivered_is_emitted_again() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    process_unresolved(&mut identity, call(10, to("db.example")));
    cloud.report(DATABASE, 30, &[("dns", "db.example", None)]);
    let made = identity.tick(now());
    assert_eq!(lines(&made).len(), 1);
    for batch in &made {
        batch
            .delivery()
            .refuse(&Refusal::stopped("the store is locked"));
    }
    drop(made);
    assert_eq!(resolved(&mut identity).len(), 1);
    assert_eq!(resolved(&mut identity), [""; 0]);
}

#[test]
fn spans_without_a_host_leave_no_unresolved_endpoint() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    let attributes = serde_json::json!({"network.peer.address": "10.0.0.9"});
    process_unresolved(&mut identity, call_from("1", 10, attributes));
    cloud.report_instance("1", 30, "vpc-1", "10.0.0.1");
    cloud.report_instance("3", 30, "vpc-1", "10.0.0.9");
    assert_eq!(resolved(&mut identity), [""; 0]);
}
