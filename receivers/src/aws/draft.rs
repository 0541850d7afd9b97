//! A resource while its kind says what it is.

use pipeline::attributes::map_from_json;
use pipeline::resource::{Alias, Relation, Resource};
use pipeline::uid;
use serde_json::{Map, Value as Json};

use super::fields::text;
use super::place::Place;

const REDACTED: &str = "[redacted]";

/// One item of a list call on its way into the graph.
///
/// ```text
/// let mut subnet = Draft::ec2("subnet/", "SubnetId", item, at)?;
/// subnet.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
/// ```
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) uid: String,
    /// By their keys.
    pub(super) tags: Map<String, Json>,
    /// None is the place's.
    pub(super) account: Option<String>,
    /// None is the place's.
    pub(super) region: Option<String>,
    name: Option<String>,
    edges: Vec<Edge>,
    aliases: Vec<Alias>,
    configuration: Json,
}

#[derive(Clone, Debug)]
struct Edge {
    kind: &'static str,
    to: String,
    confidence: f64,
    properties: Map<String, Json>,
}

impl Draft {
    /// Takes the tags, and of them the name, from the item's `Tags`, `TagList` or `TagSet`.
    pub(super) fn new(uid: String, item: &Json) -> Draft {
        let tags = ["Tags", "TagList", "TagSet"]
            .iter()
            .find_map(|key| item.get(*key));
        let tags = tags.map(tags_of).unwrap_or_default();
        let mut draft = Draft {
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

    /// One of EC2's resources, by the field that is its id. It is its owner's: who shares it with
    /// others calls it so, and what they refer to as their own is the same.
    pub(super) fn ec2(prefix: &str, id: &str, item: &Json, at: &Place) -> Option<Draft> {
        let id = &item[id];
        let uid = at.arn("ec2", prefix, id)?;
        let owner = ["OwnerId", "GroupOwnerId"]
            .iter()
            .find_map(|field| text(&item[*field]));
        let mut draft = match owner.filter(|owner| *owner != at.account) {
            None => Draft::new(uid, item),
            Some(owner) => {
                let mut draft = Draft::new(at.ec2_arn_of(&owner.into(), prefix, id)?, item);
                draft.account = Some(owner.to_owned());
                draft.same_as(uid);
                draft
            }
        };
        draft.id(id);
        Some(draft)
    }

    /// Its short id, by which people know it: `sg-0a1b`.
    pub(super) fn id(&mut self, id: &Json) {
        self.alias("id", id);
    }

    /// What people call it: of several names the first, which is the tag `Name` where there is one, is
    /// its name, and all lead to it.
    pub(super) fn name(&mut self, name: &Json) {
        if let Some(text) = text(name) {
            self.name.get_or_insert_with(|| text.to_owned());
            self.alias("name", name);
        }
    }

    /// Another name, unique everywhere; none where the API gives none.
    pub(super) fn alias(&mut self, kind: &'static str, value: &Json) {
        if let Some(value) = text(value) {
            self.push(Alias::new(kind, value));
        }
    }

    /// Another name, unique within something.
    pub(super) fn alias_within(&mut self, scope: &Json, kind: &'static str, value: &Json) {
        if let (Some(scope), Some(value)) = (text(scope), text(value)) {
            self.push(Alias::within(scope, kind, value));
        }
    }

    /// What was said of this uid is true of the resource.
    pub(super) fn same_as(&mut self, uid: impl Into<String>) {
        self.push(Alias::new(pipeline::schema::aliases::kind::SAME_AS, uid));
    }

    /// A host that it answers as, on whatever port and on these.
    pub(super) fn host(&mut self, host: &Json, ports: impl IntoIterator<Item = u16>) {
        let Some(host) = text(host) else { return };
        // Names of hosts have no case: telemetry takes them as they are, DNS in lower case.
        let spelled = [host.to_owned(), host.to_ascii_lowercase()];
        let ports: Vec<Option<u16>> = [None]
            .into_iter()
            .chain(ports.into_iter().map(Some))
            .collect();
        for host in spelled {
            self.push(Alias::new("dns", host.as_str()));
            for port in &ports {
                self.same_as(uid::external(&host, *port));
            }
        }
    }

    /// These fields change from scan to scan while nobody changes the resource.
    pub(super) fn without(&mut self, fields: &[&str]) {
        if let Json::Object(configuration) = &mut self.configuration {
            configuration.retain(|field, _| !fields.contains(&field.as_str()));
        }
    }

    /// What may be secret: the value at this JSON pointer, or all values of the object there. That
    /// there is one, and under which keys, stays.
    pub(super) fn redact(&mut self, pointer: &str) {
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

    fn push(&mut self, alias: Alias) {
        if !self.aliases.contains(&alias) {
            self.aliases.push(alias);
        }
    }

    /// An edge to this uid; none where the API names none. The same edge again changes nothing.
    pub(super) fn edge(&mut self, kind: &'static str, to: Option<String>) {
        self.edge_with(kind, to, Json::Null);
    }

    /// An edge to one of these, the API does not say which: each is as likely.
    pub(super) fn edge_to_one_of(&mut self, kind: &'static str, these: Vec<String>) {
        let confidence = 1.0 / these.len() as f64;
        for to in these {
            self.add_edge(kind, Some(to), confidence, Json::Null);
        }
    }

    /// An edge of which more is known: an object, whose nulls say nothing. Told again, lists in it
    /// grow, and other properties are the last that was told.
    pub(super) fn edge_with(&mut self, kind: &'static str, to: Option<String>, properties: Json) {
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
        let known = self
            .edges
            .iter_mut()
            .find(|edge| edge.kind == kind && edge.to == to);
        let Some(known) = known else {
            self.edges.push(Edge {
                kind,
                to,
                confidence,
                properties,
            });
            return;
        };
        known.confidence = known.confidence.max(confidence);
        for (key, value) in properties {
            match (known.properties.get_mut(&key), value) {
                (Some(Json::Array(items)), Json::Array(more)) => {
                    items.extend(
                        more.into_iter()
                            .filter(|item| !items.contains(item))
                            .collect::<Vec<_>>(),
                    );
                }
                (_, value) => {
                    known.properties.insert(key, value);
                }
            }
        }
    }

    /// As a resource of this kind.
    pub(super) fn finish(self, kind: &'static str, at: &Place, is_global: bool) -> Resource {
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
            relations: edges.map(Edge::finish).collect(),
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

impl Edge {
    fn finish(mut self) -> Relation {
        // Lists grow in the order in which APIs tell of things, which is any.
        for list in self.properties.values_mut().filter_map(Json::as_array_mut) {
            list.sort_by_cached_key(Json::to_string);
        }
        Relation {
            confidence: self.confidence,
            properties: map_from_json(&self.properties),
            ..Relation::to(self.kind, self.to)
        }
    }
}

/// `[{"Key": …, "Value": …}]` (KMS says `TagKey`), or an object already.
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
            // APIs list them in any order.
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

    use super::Draft;

    #[test]
    fn the_tag_name_is_the_name_and_the_apis_own_another() {
        let item =
            json!({"Tags": [{"Key": "team", "Value": "a"}, {"Key": "Name", "Value": "web"}]});
        let mut draft = Draft::new("u".to_owned(), &item);
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
    fn an_edge_that_is_told_twice_is_one_and_knows_both() {
        let mut draft = Draft::new("u".to_owned(), &Json::Null);
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
