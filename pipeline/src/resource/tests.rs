//! What is told of a resource is read again.

use super::{Alias, Observed, Relation, Resource, Scan};
use crate::component::UnixNanos;
use crate::rows::Rows;
use crate::schema::nodes::group;
use crate::schema::resources::{change, op};
use crate::{Delivery, Signal, uid};

const SCAN: Scan<'_> = Scan {
    source: "aws",
    group: group::ACTUAL,
    scope: "1/eu-west-1/AWS::EC2::Instance",
    id: Some("s"),
    began: UnixNanos(7),
};

fn instance() -> Resource {
    let target = Relation {
        properties: vec![10, 0],
        confidence: 0.5,
        ..Relation::to("RUNS_ON", "b")
    };
    Resource {
        uid: "i".to_owned(),
        kind: "AWS::EC2::Instance".into(),
        provider: "aws".into(),
        relations: vec![Relation::to("PART_OF", "subnet"), target],
        aliases: vec![
            Alias::new("id", "i-1"),
            Alias::within("vpc", "ip", "10.0.0.1"),
        ],
        ..Resource::default()
    }
}

#[test]
fn a_row_says_what_the_resource_says() {
    let mut rows = Rows::new(Signal::Resources);
    SCAN.observed(&mut rows, &instance(), 9, Some(change::CREATED));
    SCAN.complete(&mut rows, vec![(8, 80), (3, 30)]);
    let batch = rows.finish(Delivery::nobody());
    let read: Vec<_> = Observed::of(&batch).collect();
    let row = &read[0];
    assert_eq!(
        (row.uid, row.state, row.change),
        (Some("i"), Some(9), Some("created"))
    );
    let relations: Vec<_> = row.relations.clone().unwrap().relations().collect();
    assert_eq!(relations[0], ("PART_OF", "subnet", 1.0, None));
    assert_eq!(relations[1], ("RUNS_ON", "b", 0.5, Some(&[10, 0][..])));
    let aliases: Vec<_> = row.aliases.clone().unwrap().aliases().collect();
    assert_eq!(aliases[1], ("ip", "10.0.0.1", Some("vpc")));
    assert_eq!(read[1].op, op::SCOPE_COMPLETE);
    assert_eq!(read[1].members, Some(&[3, 8][..]));
    assert_eq!(read[1].member_states, Some(&[30, 80][..]));
    assert!(read[1].relations.is_none());
}

#[test]
fn a_partial_scan_and_a_scope_that_is_left_release_what_they_do_not_see() {
    let mut rows = Rows::new(Signal::Resources);
    SCAN.complete(&mut rows, vec![(3, 30)]);
    SCAN.complete_in_part(&mut rows, vec![(3, 30)]);
    SCAN.released(&mut rows, "i", "AWS::EC2::Instance");
    let refresh = Scan { id: None, ..SCAN };
    refresh.observed(&mut rows, &instance(), 9, None);
    let batch = rows.finish(Delivery::nobody());
    let read: Vec<_> = Observed::of(&batch).collect();
    let misses: Vec<_> = read.iter().map(|row| row.miss).collect();
    assert_eq!(misses, [Some("deleted"), Some("released"), None, None]);
    assert_eq!((read[2].op, read[2].uid), (op::RELEASED, Some("i")));
    let scans: Vec<_> = read.iter().map(|row| row.scan_id).collect();
    assert_eq!(scans, [Some("s"), Some("s"), Some("s"), None]);
}

#[test]
fn words_that_are_known_only_at_run_time_are_reported_as_they_are() {
    let custom = |group: &str| Resource {
        uid: "k8s://c/stable.example.com/crontabs/u".to_owned(),
        kind: format!("{group}/CronTab").into(),
        provider: ["kuber", "netes"].concat().into(),
        relations: vec![Relation::to("owned_by".to_uppercase(), "b")],
        aliases: vec![Alias::within("c", format!("{group}/name"), "nightly")],
        ..Resource::default()
    };
    let mut rows = Rows::new(Signal::Resources);
    SCAN.observed(&mut rows, &custom("stable.example.com"), 9, None);
    let batch = rows.finish(Delivery::nobody());
    let row = Observed::of(&batch).next().unwrap();
    assert_eq!(row.kind, Some("stable.example.com/CronTab"));
    assert_eq!(row.provider, Some("kubernetes"));
    let relation = row.relations.unwrap().relations().next();
    assert_eq!(relation, Some(("OWNED_BY", "b", 1.0, None)));
    let alias = row.aliases.unwrap().aliases().next();
    assert_eq!(
        alias,
        Some(("stable.example.com/name", "nightly", Some("c")))
    );
}

#[test]
fn the_state_does_not_depend_on_where_words_come_from() {
    let mut read = instance();
    read.kind = read.kind.into_owned().into();
    read.relations[0].kind = "PART_OF".to_owned().into();
    assert_eq!(read.state(), instance().state());
    read.kind = "AWS::EC2::Volume".into();
    assert_ne!(read.state(), instance().state());
}

#[test]
fn the_state_is_that_of_all_that_is_said_in_whatever_order() {
    let one = instance();
    let mut other = instance();
    other.relations.reverse();
    other.aliases.reverse();
    assert_eq!(one.state(), other.state());
    other.relations[0].properties.clear();
    assert_ne!(one.state(), other.state());
    let mut renamed = instance();
    renamed.aliases[1].scope = None;
    assert_ne!(one.state(), renamed.state());
}

#[test]
fn a_whole_scan_ends_with_its_members_and_their_states() {
    let mut rows = Rows::new(Signal::Resources);
    SCAN.whole(&mut rows, [&instance()]);
    let batch = rows.finish(Delivery::nobody());
    let last = Observed::of(&batch).last().unwrap();
    assert_eq!(last.members, Some(&[uid::hash("i")][..]));
    assert_eq!(last.member_states, Some(&[instance().state()][..]));
}
