use std::collections::{BTreeMap, BTreeSet};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use pipeline::component::UnixNanos;
use pipeline::schema::edges::kind;
use pipeline::schema::{edges, resources};
use pipeline::uid;

use super::{CALM, FLOODED};
use crate::demo::cloud::{self, Names};
use crate::demo::company::Pod;
use crate::demo::otlp;

fn names() -> Names {
    Names::new(1)
}

#[test]
fn each_scope_ends_with_all_its_members_in_ascending_order() {
    let told = cloud::resources(names(), &CALM);
    let batch = cloud::rows(&told, "demo", "scan", UnixNanos(5));
    let (ops, scopes) = (batch.words(resources::OP), batch.text(resources::SCOPE));
    let members = batch.column(resources::MEMBERS).as_list::<i32>();
    let mut seen: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut complete = BTreeSet::new();
    for (row, op) in ops.into_iter().enumerate() {
        let scope = scopes.value(row);
        assert!(!complete.contains(scope), "nothing follows the completion");
        if op == Some("observed") {
            let uid = batch.uid().value(row);
            seen.entry(scope).or_default().push(uid::hash(uid));
            continue;
        }
        assert_eq!(op, Some("scope_complete"));
        assert!(batch.uid().is_null(row));
        let mut hashes = seen[scope].clone();
        hashes.sort_unstable();
        let listed = members.value(row);
        assert_eq!(listed.as_primitive::<UInt64Type>().values(), &hashes[..]);
        complete.insert(scope);
    }
    assert_eq!(complete, seen.keys().copied().collect());
    assert!(complete.contains("123456789012/eu-west-1/AWS::EC2::SecurityGroup"));
    assert_eq!(complete.len(), 7);
}

#[test]
fn relations_lead_to_what_the_scan_tells() {
    let told = cloud::resources(names(), &FLOODED);
    let uids: BTreeSet<&str> = told.iter().map(|resource| resource.uid.as_str()).collect();
    assert_eq!(uids.len(), told.len(), "each uid once");
    for resource in &told {
        for (kind, to) in &resource.relations {
            assert!(edges::kind::ALL.contains(kind));
            assert!(uids.contains(to.as_str()), "{} {kind} {to}", resource.uid);
        }
    }
}

#[test]
fn the_database_group_secures_the_database_and_an_instance() {
    let told = cloud::resources(names(), &CALM);
    let secured_by = (kind::SECURED_BY, names().security_group("sg-database"));
    let secured: Vec<&str> = told
        .iter()
        .filter(|resource| resource.relations.contains(&secured_by))
        .map(|resource| resource.kind)
        .collect();
    assert_eq!(secured, ["AWS::EC2::Instance", "AWS::RDS::DBInstance"]);
}

#[test]
fn only_an_open_group_has_a_rule_for_the_world() {
    let rules = |situation| {
        let told = cloud::resources(names(), situation);
        let group = names().security_group("sg-database");
        let group = told.into_iter().find(|resource| resource.uid == group);
        group.unwrap().configuration["IpPermissions"].to_string()
    };
    assert!(!rules(&CALM).contains("0.0.0.0/0"));
    assert!(rules(&FLOODED).contains("0.0.0.0/0"));
}

#[test]
fn telemetry_names_pods_instances_and_the_database_as_the_scan_does() {
    let told = cloud::resources(names(), &CALM);
    let alias = |kind: &str, value: &str| {
        let pair = |alias: &(&str, String)| *alias == (kind, value.to_owned());
        told.iter()
            .any(|resource| resource.aliases.iter().any(pair))
    };
    let endpoint = names().database_endpoint();
    assert!(alias("dns", &endpoint));
    assert!(alias("same_as", &uid::external(&endpoint, Some(5432))));
    for pod in Pod::all(CALM.deploys) {
        assert!(alias("id", &names().pod_uid(pod)));
        let node = names().node_id(names().node_of(pod));
        assert!(alias("id", &node) && alias("host_id", &node));
        let said = format!("{:?}", otlp::resource(names(), pod));
        let own = uid::kubernetes(&names().cluster(), "", "pod", &names().pod_uid(pod));
        assert!(said.contains(&names().pod_uid(pod)) && said.contains(&names().cluster()));
        assert!(told.iter().any(|resource| resource.uid == own));
    }
}

#[test]
fn a_deploy_replaces_the_pods_of_its_service_alone() {
    let pods = |deploys| -> BTreeSet<String> {
        Pod::all(deploys).map(|pod| names().pod_name(pod)).collect()
    };
    let (before, after) = (pods(1), pods(2));
    let gone: Vec<_> = before.difference(&after).collect();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|name| name.starts_with("catalog-")));
}
