//! The resources of a scan and the edges between them, for drawing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use pipeline::Batch;
use pipeline::attributes::{Map, Value};
use pipeline::label::{label, short_id};
use pipeline::resource::ResourceRow;
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::schema::edges::kind;
use pipeline::schema::resources::op;

/// The maximum number of resources on a path from a resource to a subnet or VPC that contains it, both included.
const MAX_DISTANCE: usize = 6;

/// A resource that the scan reported.
#[derive(Debug)]
pub(super) struct ScannedResource<'a> {
    pub(super) uid: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) account: &'a str,
    /// `None` for global resources.
    pub(super) region: Option<&'a str>,
    /// The kind of each edge, and the uid of its target.
    pub(super) relations: Vec<(&'a str, &'a str)>,
    configuration: &'a [u8],
}

/// The resources of a scan, by uid.
#[derive(Debug)]
pub(super) struct ScannedResources<'a> {
    pub(super) all: BTreeMap<&'a str, ScannedResource<'a>>,
    /// The uid of the resource that has each `same_as` alias.
    same_as: HashMap<&'a str, &'a str>,
}

impl<'a> ScannedResources<'a> {
    /// Reads the observed resources from batches of `resources`.
    pub(super) fn from_batches(batches: &'a [Batch]) -> ScannedResources<'a> {
        let mut resources = ScannedResources {
            all: BTreeMap::new(),
            same_as: HashMap::new(),
        };
        for row in batches.iter().flat_map(ResourceRow::all) {
            let (op::OBSERVED, Some(uid)) = (row.op, row.uid) else {
                continue;
            };
            let relations = row
                .relations
                .into_iter()
                .flat_map(|items| items.relations());
            let aliases = row.aliases.into_iter().flat_map(|items| items.aliases());
            let same_as = aliases.filter(|(kind, ..)| *kind == SAME_AS);
            resources
                .same_as
                .extend(same_as.map(|(_, value, _)| (value, uid)));
            let resource = ScannedResource {
                uid,
                kind: row.kind.unwrap_or("unknown"),
                name: row.name,
                account: row.account.unwrap_or_default(),
                region: row.region,
                relations: relations.map(|(kind, to, ..)| (kind, to)).collect(),
                configuration: row.configuration.unwrap_or_default(),
            };
            resources.all.insert(uid, resource);
        }
        resources
    }

    /// Finds a resource by its uid or by a `same_as` alias.
    pub(super) fn find(&self, uid: &str) -> Option<&ScannedResource<'a>> {
        let by_uid = self.all.get(uid);
        by_uid.or_else(|| self.all.get(self.same_as.get(uid)?))
    }

    /// All edges, including those to resources that were not scanned.
    pub(super) fn edges(&self) -> impl Iterator<Item = (&ScannedResource<'a>, &'a str, &str)> {
        self.all.values().flat_map(move |resource| {
            let relations = resource.relations.iter();
            relations.map(move |(kind, to)| {
                let to: &str = self.find(to).map_or(to, |resource| resource.uid);
                (resource, *kind, to)
            })
        })
    }

    /// The subnets and VPCs that contain a resource.
    pub(super) fn containers(&self, resource: &ScannedResource<'a>) -> Containers<'a> {
        let mut containers = Containers::default();
        let mut frontier = vec![resource.uid];
        let mut seen: BTreeSet<&str> = frontier.iter().copied().collect();
        for _ in 0..MAX_DISTANCE {
            let mut next = Vec::new();
            for resource in frontier.iter().filter_map(|uid| self.find(uid)) {
                match resource.kind {
                    "AWS::EC2::VPC" => {
                        containers.vpcs.insert(resource.uid);
                        continue;
                    }
                    "AWS::EC2::Subnet" => {
                        containers.subnets.insert(resource.uid);
                    }
                    _ => {}
                }
                next.extend(resource.parents().filter(|to| seen.insert(to)));
            }
            frontier = next;
        }
        containers
    }
}

/// The uids of the subnets and VPCs that contain a resource.
#[derive(Debug, Default)]
pub(super) struct Containers<'a> {
    pub(super) subnets: BTreeSet<&'a str>,
    pub(super) vpcs: BTreeSet<&'a str>,
}

impl<'a> ScannedResource<'a> {
    /// The targets of the edges `PART_OF`; if there are none, those of `ATTACHED_TO` and `MEMBER_OF`.
    fn parents(&self) -> impl Iterator<Item = &'a str> {
        let is_part = self
            .relations
            .iter()
            .any(|(kind, _)| *kind == kind::PART_OF);
        let leads_to_parent = move |kind: &str| match is_part {
            true => kind == kind::PART_OF,
            false => matches!(kind, kind::ATTACHED_TO | kind::MEMBER_OF),
        };
        let relations = self.relations.iter();
        relations
            .filter(move |(kind, _)| leads_to_parent(kind))
            .map(|(_, to)| *to)
    }

    /// The name; for a resource without a name, its id.
    pub(super) fn label(&self) -> Cow<'a, str> {
        label(self.name, self.uid)
    }

    /// The short id in the uid.
    pub(super) fn id(&self) -> Cow<'a, str> {
        short_id(self.uid)
    }

    /// A string field of its configuration.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        Map::new(self.configuration)
            .get(key)
            .and_then(Value::as_text)
    }
}

/// The last part of a kind: `AWS::EC2::SecurityGroup` → `SecurityGroup`.
pub(super) fn short_kind(kind: &str) -> &str {
    kind.rsplit("::").next().unwrap_or(kind)
}
