//! Endpoints that turn out to be something that is known.

use std::time::Duration;

use pipeline::component::Processor;
use pipeline::schema::{aliases, opening};
use pipeline::{Batch, Refusal, Signal};

use arrow_array::types::TimestampNanosecondType;
use tokio::time::timeout;

use super::super::{Identity, JOINING};
use super::cloud::{Call, Cloud, DATABASE, call, call_from, instance, now, peers, record, to};
use super::support::at;

const ENDPOINT: &str = "ext://db.example:5432";

/// `endpoint → uid since second` of all that is joined now.
fn joined(identity: &mut Identity) -> Vec<String> {
    lines(&identity.tick(now()))
}

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

fn see(identity: &mut Identity, call: Call) {
    assert_eq!(peers(identity, &[call]), [""]);
}

#[test]
fn an_endpoint_is_joined_once_somebody_tells_whose_name_it_has() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    see(&mut identity, call(10, to("db.example")));
    assert_eq!(joined(&mut identity), [""; 0]);
    cloud.tell(DATABASE, 30, &[("dns", "db.example", None)]);
    let expected = [format!("{ENDPOINT} → {DATABASE} since 30")];
    assert_eq!(joined(&mut identity), expected);
    cloud.tell("other", 40, &[("dns", "other.example", None)]);
    assert_eq!(joined(&mut identity), [""; 0], "it is told once");
}

#[tokio::test]
async fn an_unresolved_endpoint_costs_no_tick_until_the_index_has_changed() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    see(&mut identity, call(10, to("db.example")));
    assert_eq!(identity.tick_within(now()), Some(JOINING), "it is new");
    assert_eq!(joined(&mut identity), [""; 0]);
    assert_eq!(identity.tick_within(now()), None);
    let moment = Duration::from_millis(50);
    assert!(timeout(moment, identity.wake()).await.is_err());

    cloud.tell(DATABASE, 30, &[("dns", "db.example", None)]);
    timeout(Duration::from_secs(10), identity.wake())
        .await
        .unwrap();
    // Many changes come together: one look-up for all of a second.
    assert_eq!(joined(&mut identity), [""; 0]);
    assert!(timeout(moment, identity.wake()).await.is_err());
    assert_eq!(identity.tick_within(now()), Some(JOINING));
    assert_eq!(joined(&mut identity).len(), 1);
}

#[test]
fn a_span_from_before_the_first_scan_is_joined_though_the_scan_came_first() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    cloud.tell(DATABASE, 30, &[("dns", "db.example", None)]);
    assert_eq!(joined(&mut identity), [""; 0]);
    see(&mut identity, call(10, to("db.example")));
    assert_eq!(joined(&mut identity).len(), 1);
}

#[test]
fn what_the_scan_joins_itself_is_left_to_it() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    see(&mut identity, call(10, to("db.example")));
    let names = [("dns", "db.example", None), ("same_as", ENDPOINT, None)];
    cloud.tell(DATABASE, 30, &names);
    assert_eq!(joined(&mut identity), [""; 0]);
}

#[test]
fn a_private_address_is_joined_within_the_network_of_those_who_called_it() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    see(&mut identity, call_from("1", 10, to("10.0.0.9")));
    cloud.tell_instance("4", 30, "vpc-2", "10.0.0.9");
    cloud.tell_instance("3", 30, "vpc-1", "10.0.0.9");
    assert_eq!(
        joined(&mut identity),
        [""; 0],
        "where it was called from is not known"
    );
    cloud.tell_instance("1", 40, "vpc-1", "10.0.0.1");
    let expected = format!("ext://10.0.0.9:5432 → {} since 30", instance("3"));
    assert_eq!(joined(&mut identity), [expected]);
}

#[test]
fn an_address_that_was_called_from_two_networks_or_from_anywhere_is_not_joined() {
    for others in [call_from("2", 10, to("10.0.0.9")), call(10, to("10.0.0.9"))] {
        let cloud = Cloud::new();
        let mut identity = cloud.identity();
        see(&mut identity, call_from("1", 10, to("10.0.0.9")));
        see(&mut identity, others);
        for (id, network) in [("1", "vpc-1"), ("2", "vpc-2")] {
            cloud.tell_instance(id, 30, network, "10.0.0.1");
        }
        cloud.tell_instance("3", 30, "vpc-1", "10.0.0.9");
        assert_eq!(joined(&mut identity), [""; 0]);
    }
}

#[test]
fn a_name_that_several_have_or_had_is_not_joined() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    see(&mut identity, call(5, to("db.example")));
    cloud.tell("old", 10, &[("dns", "db.example", None)]);
    cloud.end("old", 20);
    cloud.tell("new", 30, &[("dns", "db.example", None)]);
    assert_eq!(joined(&mut identity), [""; 0]);
}

#[test]
fn a_record_is_joined_once_it_is_known_what_it_leads_to() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    see(&mut identity, call(10, to("db.example")));
    cloud.tell_record("db.example", 20, &["ext://real.example:"]);
    assert_eq!(joined(&mut identity), [""; 0], "{}", record("db.example"));
    cloud.tell(DATABASE, 30, &[("dns", "real.example", None)]);
    let expected = [format!("{ENDPOINT} → {DATABASE} since 20")];
    assert_eq!(joined(&mut identity), expected);
}

#[test]
fn what_was_not_delivered_is_joined_again() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    see(&mut identity, call(10, to("db.example")));
    cloud.tell(DATABASE, 30, &[("dns", "db.example", None)]);
    let made = identity.tick(now());
    assert_eq!(lines(&made).len(), 1);
    for batch in &made {
        batch
            .delivery()
            .refuse(&Refusal::stopped("the store is locked"));
    }
    drop(made);
    assert_eq!(joined(&mut identity).len(), 1);
    assert_eq!(joined(&mut identity), [""; 0]);
}

#[test]
fn endpoints_without_a_host_are_not_remembered() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    let answered = serde_json::json!({"network.peer.address": "10.0.0.9"});
    see(&mut identity, call_from("1", 10, answered));
    cloud.tell_instance("1", 30, "vpc-1", "10.0.0.1");
    cloud.tell_instance("3", 30, "vpc-1", "10.0.0.9");
    assert_eq!(joined(&mut identity), [""; 0]);
}
