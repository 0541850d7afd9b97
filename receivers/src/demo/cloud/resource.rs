//! A resource of the shop's cloud.

use pipeline::attributes::map_from_json;
use pipeline::resource::{Resource, ResourceAlias, ResourceRelation};
use serde_json::{Value, json};

use super::names::{ACCOUNT, REGION};

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
    /// A resource of the AWS account, without relations, aliases and configuration.
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

    pub(super) fn to_pipeline(&self) -> Resource {
        let relations = self.relations.iter();
        let aliases = self.aliases.iter();
        Resource {
            uid: self.uid.clone(),
            kind: self.kind.into(),
            name: Some(self.name.clone()),
            provider: self.provider.into(),
            account: self.account.clone(),
            region: self.region.map(str::to_owned),
            relations: relations
                .map(|(kind, to)| ResourceRelation::to(*kind, to))
                .collect(),
            aliases: aliases
                .map(|(kind, value)| ResourceAlias::new(*kind, value))
                .collect(),
            tags: encode(&self.tags),
            configuration: encode(&self.configuration),
        }
    }

    /// The scope of the resource: account, region and kind.
    pub(super) fn scope(&self) -> String {
        match self.region {
            Some(region) => format!("{}/{region}/{}", self.account, self.kind),
            None => format!("{}/{}", self.account, self.kind),
        }
    }
}

/// Tags in the format of AWS's API.
pub(super) fn aws_tags(name: &str, team: &str) -> Value {
    json!([{"Key": "Name", "Value": name}, {"Key": "team", "Value": team}])
}

fn encode(object: &Value) -> Vec<u8> {
    object.as_object().map(map_from_json).unwrap_or_default()
}
