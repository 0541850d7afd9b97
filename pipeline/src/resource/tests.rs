//! Writes rows of `resources` and reads them again.

use super::{Resource, ResourceAlias, ResourceRelation, ResourceRow, ScanContext};
use crate::rows::Rows;
use crate::schema::nodes::group;
use crate::schema::resources::{change, op};
use crate::unix_nanos::UnixNanos;
use crate::{Delivery, Signal, uid};

const SCAN: ScanContext<'_> = ScanContext {
    source: "aws",
    group: group::ACTUAL,
    scope: "1/eu-west-1/AWS::EC2::Instance",
    id: Some("s"),
    began: UnixNanos(7),
};

fn instance() -> Resource {
    let target = ResourceRelation {
        properties: vec![10, 0],
        confidence: 0.5,
        ..ResourceRelation::to("RUNS_ON", "b")
    };
    Resource {
        uid: "i".to_owned(),
        kind: "AWS::EC2::Instance".into(),
        provider: "aws".into(),
        relations: vec![ResourceRelation::to("PART_OF", "subnet"), target],
        aliases: vec![
            ResourceAlias::new("id", "i-1"),
            ResourceAlias::within("vpc", "ip", "10.0.0.1"),
        ],
        ..Resource::default()
    }
}

#[test]
fn a_row_has_the_values_of_its_resource() {
    let mut rows = Rows::new(Signal::Resources);
    SCAN.push_observed(&mut rows, &instance(), 9, Some(change::CREATED));
    SCAN.push_completion(&mut rows, vec![(8, 80), (3, 30)]);
    let batch = rows.finish(Delivery::untracked());
    let read: Vec<_> = ResourceRow::all(&batch).collect();
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
fn the_completion_of_a_partial_scan_releases_missing_uids() {
    let mut rows = Rows::new(Signal::Resources);
    SCAN.push_completion(&mut rows, vec![(3, 30)]);
    SCAN.push_partial_completion(&mut rows, vec![(3, 30)]);
    SCAN.push_released(&mut rows, "i", "AWS::EC2::Instance");
    let refresh = ScanContext { id: None, ..SCAN };
    refresh.push_observed(&mut rows, &instance(), 9, None);
    let batch = rows.finish(Delivery::untracked());
    let read: Vec<_> = ResourceRow::all(&batch).collect();
    let misses: Vec<_> = read.iter().map(|row| row.miss).collect();
    assert_eq!(misses, [Some("deleted"), Some("released"), None, None]);
    assert_eq!((read[2].op, read[2].uid), (op::RELEASED, Some("i")));
    let scans: Vec<_> = read.iter().map(|row| row.scan_id).collect();
    assert_eq!(scans, [Some("s"), Some("s"), Some("s"), None]);
}

#[test]
fn kinds_that_are_known_only_at_run_time_are_written() {
    let custom = |group: &str| Resource {
        uid: "k8s://c/stable.example.com/crontabs/u".to_owned(),
        kind: format!("{group}/CronTab").into(),
        provider: ["kuber", "netes"].concat().into(),
        relations: vec![ResourceRelation::to("owned_by".to_uppercase(), "b")],
        aliases: vec![ResourceAlias::within(
            "c",
            format!("{group}/name"),
            "nightly",
        )],
        ..Resource::default()
    };
    let mut rows = Rows::new(Signal::Resources);
    SCAN.push_observed(&mut rows, &custom("stable.example.com"), 9, None);
    let batch = rows.finish(Delivery::untracked());
    let row = ResourceRow::all(&batch).next().unwrap();
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
fn the_state_of_owned_and_static_texts_is_equal() {
    let mut read = instance();
    read.kind = read.kind.into_owned().into();
    read.relations[0].kind = "PART_OF".to_owned().into();
    assert_eq!(read.state(), instance().state());
    read.kind = "AWS::EC2::Volume".into();
    assert_ne!(read.state(), instance().state());
}

#[test]
fn the_state_depends_on_relations_and_aliases_but_not_on_their_order() {
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
fn a_whole_scan_ends_with_a_completion_that_lists_members_and_states() {
    let mut rows = Rows::new(Signal::Resources);
    SCAN.push_whole_scan(&mut rows, [&instance()]);
    let batch = rows.finish(Delivery::untracked());
    let last = ResourceRow::all(&batch).last().unwrap();
    assert_eq!(last.members, Some(&[uid::hash("i")][..]));
    assert_eq!(last.member_states, Some(&[instance().state()][..]));
}
