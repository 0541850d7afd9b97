//! One scan of everything, and the rows of `resources` that tell it.

use pipeline::attributes::map_from_json;
use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{nodes, resources};
use pipeline::{Batch, Delivery, Signal, uid};
use serde_json::{Value, json};

use super::names::{ACCOUNT, Names, REGION};
use super::{compute, database, network, pods};
use crate::demo::script::Situation;

/// One thing that a scan saw.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::demo) struct Resource {
    pub(in crate::demo) uid: String,
    pub(in crate::demo) kind: &'static str,
    pub(super) name: String,
    pub(super) provider: &'static str,
    pub(super) account: String,
    pub(super) region: Option<&'static str>,
    pub(in crate::demo) relations: Vec<(&'static str, String)>,
    pub(in crate::demo) aliases: Vec<(&'static str, String)>,
    pub(super) tags: Value,
    pub(in crate::demo) configuration: Value,
}

impl Resource {
    pub(super) fn aws(kind: &'static str, uid: String, name: &str, team: &str) -> Resource {
        Resource {
            uid,
            kind,
            name: name.to_owned(),
            provider: "aws",
            account: ACCOUNT.to_owned(),
            region: Some(REGION),
            relations: Vec::new(),
            aliases: Vec::new(),
            tags: json!({"Name": name, "team": team}),
            configuration: Value::Null,
        }
    }

    /// What it is scanned with as one.
    fn scope(&self) -> String {
        match self.region {
            Some(region) => format!("{}/{region}/{}", self.account, self.kind),
            None => format!("{}/{}", self.account, self.kind),
        }
    }
}

/// Tags as AWS's API lists them.
pub(super) fn aws_tags(name: &str, team: &str) -> Value {
    json!([{"Key": "Name", "Value": name}, {"Key": "team", "Value": team}])
}

/// All that there is; those of one kind stand together.
pub(in crate::demo) fn resources(names: Names, situation: &Situation) -> Vec<Resource> {
    let mut all = vec![network::vpc(names)];
    all.extend(network::subnets(names));
    all.extend(network::security_groups(names, situation.open));
    all.extend(compute::instances(names));
    all.push(database::database(names));
    all.push(network::load_balancer(names));
    all.extend(pods::pods(names, situation.deploys));
    all
}

/// The rows of a scan of these resources; each scope ends with its completion.
pub(in crate::demo) fn rows(
    resources: &[Resource],
    source: &str,
    scan_id: &str,
    began: UnixNanos,
) -> Batch {
    let mut rows = Rows::new(Signal::Resources);
    for scope in resources.chunk_by(|one, next| one.kind == next.kind) {
        let name = scope[0].scope();
        let told = Told {
            source,
            scope: &name,
            scan_id,
            began,
        };
        for resource in scope {
            told.observed(&mut rows, resource);
        }
        told.complete(&mut rows, scope);
    }
    rows.finish(Delivery::nobody())
}

/// What all rows of a scope share.
struct Told<'a> {
    source: &'a str,
    scope: &'a str,
    scan_id: &'a str,
    began: UnixNanos,
}

impl Told<'_> {
    fn observed(&self, rows: &mut Rows, resource: &Resource) {
        let owned = |pairs: &[(&str, String)]| -> Vec<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(kind, other)| ((*kind).to_owned(), other.clone()))
                .collect()
        };
        let (relations, aliases) = (owned(&resource.relations), owned(&resource.aliases));
        let (tags, configuration) = (encode(&resource.tags), encode(&resource.configuration));
        let cells = [
            (resources::OP, Cell::Text(resources::op::OBSERVED)),
            (resources::GROUP, Cell::Text(nodes::group::ACTUAL)),
            (resources::SCOPE, Cell::Text(self.scope)),
            (resources::SCAN_ID, Cell::Text(self.scan_id)),
            (resources::KIND, Cell::Text(resource.kind)),
            (resources::NAME, Cell::Text(&resource.name)),
            (resources::PROVIDER, Cell::Text(resource.provider)),
            (resources::ACCOUNT, Cell::Text(&resource.account)),
            (resources::REGION, resource.region.into()),
            (resources::RELATIONS, Cell::Pairs(&relations)),
            (resources::ALIASES, Cell::Pairs(&aliases)),
            (resources::TAGS, Cell::Bytes(&tags)),
            (resources::CONFIGURATION, Cell::Bytes(&configuration)),
        ];
        rows.push(Some(self.began), Some(&resource.uid), self.source, &cells);
    }

    fn complete(&self, rows: &mut Rows, scope: &[Resource]) {
        let uids = scope.iter().map(|resource| uid::hash(&resource.uid));
        let mut members: Vec<u64> = uids.collect();
        members.sort_unstable();
        let cells = [
            (resources::OP, Cell::Text(resources::op::SCOPE_COMPLETE)),
            (resources::GROUP, Cell::Text(nodes::group::ACTUAL)),
            (resources::SCOPE, Cell::Text(self.scope)),
            (resources::SCAN_ID, Cell::Text(self.scan_id)),
            (resources::MEMBERS, Cell::UInts(&members)),
        ];
        rows.push(Some(self.began), None, self.source, &cells);
    }
}

fn encode(object: &Value) -> Vec<u8> {
    object.as_object().map(map_from_json).unwrap_or_default()
}
