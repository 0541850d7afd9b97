//! One scan of all resources, and its rows of `resources`.

use pipeline::attributes::map_from_json;
use pipeline::component::UnixNanos;
use pipeline::resource::{self, Alias, Relation, Scan};
use pipeline::rows::Rows;
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal};
use serde_json::{Value, json};

use super::names::{ACCOUNT, DemoNames, REGION};
use super::{compute, database, network, pods};
use crate::demo::script::Situation;

/// A resource that a scan reports.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::demo) struct DemoResource {
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

impl DemoResource {
    pub(super) fn aws(kind: &'static str, uid: String, name: &str, team: &str) -> DemoResource {
        DemoResource {
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

    fn to_pipeline(&self) -> resource::Resource {
        let relations = self.relations.iter();
        let aliases = self.aliases.iter();
        resource::Resource {
            uid: self.uid.clone(),
            kind: self.kind.into(),
            name: Some(self.name.clone()),
            provider: self.provider.into(),
            account: self.account.clone(),
            region: self.region.map(str::to_owned),
            relations: relations
                .map(|(kind, to)| Relation::to(*kind, to))
                .collect(),
            aliases: aliases
                .map(|(kind, value)| Alias::new(*kind, value))
                .collect(),
            tags: encode(&self.tags),
            configuration: encode(&self.configuration),
        }
    }

    /// The scope that it is scanned in: account, region and kind.
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

/// All resources, grouped by kind.
pub(in crate::demo) fn resources(names: DemoNames, situation: &Situation) -> Vec<DemoResource> {
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
    resources: &[DemoResource],
    source: &str,
    scan_id: &str,
    began: UnixNanos,
) -> Batch {
    let mut rows = Rows::new(Signal::Resources);
    for scope in resources.chunk_by(|one, next| one.kind == next.kind) {
        let scan = Scan {
            source,
            group: nodes::group::ACTUAL,
            scope: &scope[0].scope(),
            id: Some(scan_id),
            began,
        };
        let reported: Vec<_> = scope.iter().map(DemoResource::to_pipeline).collect();
        scan.whole(&mut rows, &reported);
    }
    rows.finish(Delivery::nobody())
}

fn encode(object: &Value) -> Vec<u8> {
    object.as_object().map(map_from_json).unwrap_or_default()
}
