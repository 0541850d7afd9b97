//! Builds the graph resource of one item of a list call.

use pipeline::attributes::map_from_json;
use pipeline::resource::{Resource, ResourceAlias, ResourceRelation};
use pipeline::uid;
use serde_json::{Map, Value as Json};

use crate::aws::api::AccountRegion;
use crate::aws::api::fields::text;

const REDACTED: &str = "[redacted]";

/// The resource for an item of a list call, to which its kind adds edges and aliases.
///
/// ```text
/// let mut subnet = ResourceDraft::ec2("subnet/", "SubnetId", item, at)?;
/// subnet.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
/// ```
#[derive(Clone, Debug)]
pub(in crate::aws) struct ResourceDraft {
    pub(in crate::aws) uid: String,
    /// Values by key.
    pub(in crate::aws) tags: Map<String, Json>,
    /// `None` stands for the scanned account.
    pub(in crate::aws) account: Option<String>,
    /// `None` stands for the scanned region, or for no region if the kind is global.
    pub(in crate::aws) region: Option<String>,
    name: Option<String>,
    edges: Vec<DraftEdge>,
    aliases: Vec<ResourceAlias>,
    configuration: Json,
}

#[derive(Clone, Debug)]
struct DraftEdge {
    kind: &'static str,
    to: String,
    confidence: f64,
    properties: Map<String, Json>,
}

impl ResourceDraft {
    /// Reads the tags from the item's `Tags`, `TagList` or `TagSet`, and the name from the tag `Name`.
    pub(in crate::aws) fn new(uid: String, item: &Json) -> ResourceDraft {
        let tags = ["Tags", "TagList", "TagSet"]
            .iter()
            .find_map(|key| item.get(*key));
        let tags = tags.map(tags_of).unwrap_or_default();
        let mut draft = ResourceDraft {
            uid,
            account: None,
            region: None,
            name: None,
            edges: Vec::new(),
            aliases: Vec::new(),
            configuration: item.clone(),
            tags,
        };
        let name = draft.tags.get("Name").cloned().unwrap_or_default();
        draft.name(&name);
        draft
    }

    /// A resource of EC2 whose id is in the field `id`. Its uid is the ARN in the account that owns it. If another
    /// account owns it, the ARN in the scanned account becomes a `same_as` alias. `None` if the item has no id.
    pub(in crate::aws) fn ec2(
        prefix: &str,
        id: &str,
        item: &Json,
        at: &AccountRegion,
    ) -> Option<ResourceDraft> {
        let id = &item[id];
        let uid = at.arn("ec2", prefix, id)?;
        let owner = ["OwnerId", "GroupOwnerId"]
            .iter()
            .find_map(|field| text(&item[*field]));
        let mut draft = match owner.filter(|owner| *owner != at.account) {
            None => ResourceDraft::new(uid, item),
            Some(owner) => {
                let mut draft = ResourceDraft::new(at.ec2_arn_of(&owner.into(), prefix, id)?, item);
                draft.account = Some(owner.to_owned());
                draft.same_as(uid);
                draft
            }
        };
        draft.id(id);
        Some(draft)
    }

    /// Adds the short id as an alias, since users search for it: `sg-0a1b`.
    pub(in crate::aws) fn id(&mut self, id: &Json) {
        self.alias("id", id);
    }

    /// Adds a name as an alias. The resource's own name is the tag `Name`; without this tag, it is the first name that
    /// is added. Does nothing if the name is missing.
    pub(in crate::aws) fn name(&mut self, name: &Json) {
        if let Some(text) = text(name) {
            self.name.get_or_insert_with(|| text.to_owned());
            self.alias("name", name);
        }
    }

    /// Adds an alias that is unique everywhere. Does nothing if the value is missing.
    pub(in crate::aws) fn alias(&mut self, kind: &'static str, value: &Json) {
        if let Some(value) = text(value) {
            self.push(ResourceAlias::new(kind, value));
        }
    }

    /// Adds an alias that is unique within a scope. Does nothing if the scope or the value is missing.
    pub(in crate::aws) fn alias_within(&mut self, scope: &Json, kind: &'static str, value: &Json) {
        if let (Some(scope), Some(value)) = (text(scope), text(value)) {
            self.push(ResourceAlias::within(scope, kind, value));
        }
    }

    /// Adds another uid under which the resource is reported.
    pub(in crate::aws) fn same_as(&mut self, uid: impl Into<String>) {
        self.push(ResourceAlias::new(
            pipeline::schema::aliases::kind::SAME_AS,
            uid,
        ));
    }

    /// Adds a host name of the resource, without a port and with each of these ports.
    pub(in crate::aws) fn host(&mut self, host: &Json, ports: impl IntoIterator<Item = u16>) {
        let Some(host) = text(host) else { return };
        // Host names are case-insensitive: telemetry has them as configured, DNS records in lower case.
        let spelled = [host.to_owned(), host.to_ascii_lowercase()];
        let ports: Vec<Option<u16>> = [None]
            .into_iter()
            .chain(ports.into_iter().map(Some))
            .collect();
        for host in spelled {
            self.push(ResourceAlias::new("dns", host.as_str()));
            for port in &ports {
                self.same_as(uid::external(&host, *port));
            }
        }
    }

    /// Removes fields of the configuration that change although the resource itself does not.
    pub(in crate::aws) fn remove_fields(&mut self, fields: &[&str]) {
        if let Json::Object(configuration) = &mut self.configuration {
            configuration.retain(|field, _| !fields.contains(&field.as_str()));
        }
    }

    /// Redacts what may be secret: the value at this JSON pointer, or each value of the object at this pointer. The
    /// keys of the object stay.
    pub(in crate::aws) fn redact(&mut self, pointer: &str) {
        match self.configuration.pointer_mut(pointer) {
            Some(Json::Object(values)) => {
                values
                    .values_mut()
                    .for_each(|value| *value = REDACTED.into());
            }
            Some(value) => *value = REDACTED.into(),
            None => {}
        }
    }

    fn push(&mut self, alias: ResourceAlias) {
        if !self.aliases.contains(&alias) {
            self.aliases.push(alias);
        }
    }

    /// Adds an edge to this uid. Does nothing if the uid is missing or the edge already exists.
    pub(in crate::aws) fn edge(&mut self, kind: &'static str, to: Option<String>) {
        self.edge_with(kind, to, Json::Null);
    }

    /// Adds an edge to each of these candidates. One of them is the target, but the API does not return which one, so
    /// the confidence of each edge is 1 divided by their number.
    pub(in crate::aws) fn edge_to_one_of(&mut self, kind: &'static str, candidates: Vec<String>) {
        let confidence = 1.0 / candidates.len() as f64;
        for to in candidates {
            self.add_edge(kind, Some(to), confidence, Json::Null);
        }
    }

    /// Adds an edge with those of these properties that are not null. If the edge already exists, extends its lists and
    /// replaces its other properties.
    pub(in crate::aws) fn edge_with(
        &mut self,
        kind: &'static str,
        to: Option<String>,
        properties: Json,
    ) {
        self.add_edge(kind, to, 1.0, properties);
    }

    fn add_edge(
        &mut self,
        kind: &'static str,
        to: Option<String>,
        confidence: f64,
        properties: Json,
    ) {
        let Some(to) = to.filter(|to| !to.is_empty()) else {
            return;
        };
        let mut properties = match properties {
            Json::Object(properties) => properties,
            _ => Map::new(),
        };
        properties.retain(|_, value| !value.is_null());
        let existing = self
            .edges
            .iter_mut()
            .find(|edge| edge.kind == kind && edge.to == to);
        let Some(existing) = existing else {
            self.edges.push(DraftEdge {
                kind,
                to,
                confidence,
                properties,
            });
            return;
        };
        existing.confidence = existing.confidence.max(confidence);
        for (key, value) in properties {
            match (existing.properties.get_mut(&key), value) {
                (Some(Json::Array(items)), Json::Array(more)) => {
                    items.extend(
                        more.into_iter()
                            .filter(|item| !items.contains(item))
                            .collect::<Vec<_>>(),
                    );
                }
                (_, value) => {
                    existing.properties.insert(key, value);
                }
            }
        }
    }

    /// Builds the resource.
    pub(in crate::aws) fn finish(
        self,
        kind: &'static str,
        at: &AccountRegion,
        is_global: bool,
    ) -> Resource {
        let region = self
            .region
            .or_else(|| (!is_global).then(|| at.region.clone()));
        let edges = self.edges.into_iter();
        Resource {
            uid: self.uid,
            kind: kind.into(),
            name: self.name,
            provider: "aws".into(),
            account: self.account.unwrap_or_else(|| at.account.clone()),
            region,
            relations: edges.map(DraftEdge::finish).collect(),
            aliases: self.aliases,
            tags: map_from_json(&self.tags),
            configuration: self
                .configuration
                .as_object()
                .map(map_from_json)
                .unwrap_or_default(),
        }
    }
}

impl DraftEdge {
    fn finish(mut self) -> ResourceRelation {
        // APIs return items in any order, so lists are sorted.
        for list in self.properties.values_mut().filter_map(Json::as_array_mut) {
            list.sort_by_cached_key(Json::to_string);
        }
        ResourceRelation {
            confidence: self.confidence,
            properties: map_from_json(&self.properties),
            ..ResourceRelation::to(self.kind, self.to)
        }
    }
}

/// Reads tags: `[{"Key": …, "Value": …}]` (`TagKey` and `TagValue` in KMS), or an object.
fn tags_of(tags: &Json) -> Map<String, Json> {
    let pair = |tag: &Json| {
        let field = |name| tag.get(name).and_then(Json::as_str);
        let key = field("Key").or_else(|| field("TagKey"))?;
        let value = field("Value").or_else(|| field("TagValue"));
        Some((key.to_owned(), value.unwrap_or_default().into()))
    };
    match tags {
        Json::Object(tags) => tags.clone(),
        Json::Array(tags) => {
            let mut pairs: Vec<_> = tags.iter().filter_map(pair).collect();
            // APIs list tags in any order.
            pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            pairs.into_iter().collect()
        }
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::attributes::{Map, map_to_json};
    use pipeline::schema::edges::kind;
    use serde_json::{Value as Json, json};

    use super::ResourceDraft;

    #[test]
    fn tag_name_is_the_name_and_the_name_in_the_api_is_an_alias() {
        let item =
            json!({"Tags": [{"Key": "team", "Value": "a"}, {"Key": "Name", "Value": "web"}]});
        let mut draft = ResourceDraft::new("u".to_owned(), &item);
        draft.name(&json!("sg-web"));
        draft.name(&json!(""));
        assert_eq!(draft.name.as_deref(), Some("web"));
        let names: Vec<_> = draft
            .aliases
            .iter()
            .map(|alias| alias.value.as_str())
            .collect();
        assert_eq!(names, ["web", "sg-web"]);
        assert_eq!(draft.tags.keys().collect::<Vec<_>>(), ["Name", "team"]);
    }

    #[test]
    fn edge_that_is_added_twice_is_one_edge_with_the_properties_of_both() {
        let mut draft = ResourceDraft::new("u".to_owned(), &Json::Null);
        for port in ["tcp/80", "tcp/443", "tcp/80"] {
            let properties = json!({"Ports": [port], "Reason": null});
            draft.edge_with(kind::ALLOWS_TRAFFIC_FROM, Some("sg".to_owned()), properties);
        }
        draft.edge(kind::PART_OF, None);
        assert_eq!(draft.edges.len(), 1);
        let edge = draft.edges.remove(0).finish();
        let properties = map_to_json(Map::new(&edge.properties));
        assert_eq!(
            Json::Object(properties),
            json!({"Ports": ["tcp/443", "tcp/80"]})
        );
    }
}
