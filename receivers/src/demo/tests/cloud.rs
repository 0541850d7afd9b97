//! Tests of the scans of the demo cloud.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use pipeline::component::UnixNanos;
use pipeline::schema::edges::kind;
use pipeline::schema::{edges, resources};
use pipeline::uid;

use super::{CALM, FLOODED};
use crate::demo::cloud::{self, DemoNames};
use crate::demo::otlp;
use crate::demo::shop::Pod;

fn names() -> DemoNames {
    DemoNames::new(1)
}

#[test]
fn scan_completion_lists_all_members_in_ascending_order() {
    let scanned = cloud::resources(names(), &CALM);
    let batch = cloud::rows(&scanned, "demo", "scan", UnixNanos(5));
    let (ops, scopes) = (batch.words(resources::OP), batch.text(resources::SCOPE));
    let members = batch.column(resources::MEMBERS).as_list::<i32>();
    let mut observed: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut complete = BTreeSet::new();
    for (row, op) in ops.into_iter().enumerate() {
        let scope = scopes.value(row);
        assert!(!complete.contains(scope), "no row follows the completion");
        if op == Some("observed") {
            let uid = batch.uid().value(row);
            observed.entry(scope).or_default().push(uid::hash(uid));
            continue;
        }
        assert_eq!(op, Some("scope_complete"));
        assert!(batch.uid().is_null(row));
        let mut hashes = observed[scope].clone();
        hashes.sort_unstable();
        let listed = members.value(row);
        assert_eq!(listed.as_primitive::<UInt64Type>().values(), &hashes[..]);
        complete.insert(scope);
    }
    assert_eq!(complete, observed.keys().copied().collect());
    assert!(complete.contains("123456789012/eu-west-1/AWS::EC2::SecurityGroup"));
    assert_eq!(complete.len(), 7);
}

#[test]
fn targets_of_relations_are_in_the_scan() {
    let scanned = cloud::resources(names(), &FLOODED);
    let uids: BTreeSet<&str> = scanned
        .iter()
        .map(|resource| resource.uid.as_str())
        .collect();
    assert_eq!(uids.len(), scanned.len(), "each uid once");
    for resource in &scanned {
        for (kind, to) in &resource.relations {
            assert!(edges::kind::ALL.contains(kind));
            assert!(uids.contains(to.as_str()), "{} {kind} {to}", resource.uid);
        }
    }
}

#[test]
fn database_group_secures_the_database_and_an_instance() {
    let scanned = cloud::resources(names(), &CALM);
    let secured_by = (kind::SECURED_BY, names().security_group("sg-database"));
    let secured: Vec<&str> = scanned
        .iter()
        .filter(|resource| resource.relations.contains(&secured_by))
        .map(|resource| resource.kind)
        .collect();
    assert_eq!(secured, ["AWS::EC2::Instance", "AWS::RDS::DBInstance"]);
}

#[test]
fn only_an_open_group_allows_traffic_from_the_world() {
    let rules = |situation| {
        let scanned = cloud::resources(names(), situation);
        let group = names().security_group("sg-database");
        let group = scanned.into_iter().find(|resource| resource.uid == group);
        group.unwrap().configuration["IpPermissions"].to_string()
    };
    assert!(!rules(&CALM).contains("0.0.0.0/0"));
    assert!(rules(&FLOODED).contains("0.0.0.0/0"));
}

#[test]
fn telemetry_and_scan_use_the_same_names() {
    let scanned = cloud::resources(names(), &CALM);
    let alias = |kind: &str, value: &str| {
        let pair = |alias: &(&str, String)| *alias == (kind, value.to_owned());
        scanned
            .iter()
            .any(|resource| resource.aliases.iter().any(pair))
    };
    let endpoint = names().database_endpoint();
    assert!(alias("dns", &endpoint));
    assert!(alias("same_as", &uid::external(&endpoint, Some(5432))));
    for pod in Pod::all(CALM.deploys) {
        assert!(alias("id", &names().pod_uid(pod)));
        let node = names().node_id(names().node_of(pod));
        assert!(alias("id", &node) && alias("host_id", &node));
        let reported = format!("{:?}", otlp::resource(names(), pod));
        let pod_uid = uid::kubernetes(&names().cluster(), "", "pod", &names().pod_uid(pod));
        assert!(reported.contains(&names().pod_uid(pod)) && reported.contains(&names().cluster()));
        assert!(scanned.iter().any(|resource| resource.uid == pod_uid));
    }
}

#[test]
fn deploy_replaces_only_the_pods_of_its_service() {
    let pods = |deploys| -> BTreeSet<String> {
        Pod::all(deploys).map(|pod| names().pod_name(pod)).collect()
    };
    let (before, after) = (pods(1), pods(2));
    let gone: Vec<_> = before.difference(&after).collect();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|name| name.starts_with("catalog-")));
}
