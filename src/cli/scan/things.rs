//! What a scan has seen, to be drawn.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use pipeline::Batch;
use pipeline::attributes::{Map, Value};
use pipeline::label::{label, short_id};
use pipeline::resource::Observed;
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::schema::edges::kind;
use pipeline::schema::resources::op;

/// How many edges may lie between a thing and its VPC.
const FAR: usize = 6;

#[derive(Debug)]
pub(super) struct Thing<'a> {
    pub(super) uid: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) account: &'a str,
    /// None of what is in no region.
    pub(super) region: Option<&'a str>,
    pub(super) relations: Vec<(&'a str, &'a str)>,
    configuration: &'a [u8],
}

/// By uid.
#[derive(Debug)]
pub(super) struct Things<'a> {
    pub(super) all: BTreeMap<&'a str, Thing<'a>>,
    /// Other names that were told to be the same.
    same: HashMap<&'a str, &'a str>,
}

impl<'a> Things<'a> {
    pub(super) fn of(batches: &'a [Batch]) -> Things<'a> {
        let mut things = Things {
            all: BTreeMap::new(),
            same: HashMap::new(),
        };
        for row in batches.iter().flat_map(Observed::of) {
            let (op::OBSERVED, Some(uid)) = (row.op, row.uid) else {
                continue;
            };
            let relations = row
                .relations
                .into_iter()
                .flat_map(|items| items.relations());
            let aliases = row.aliases.into_iter().flat_map(|items| items.aliases());
            let same = aliases.filter(|(kind, ..)| *kind == SAME_AS);
            things.same.extend(same.map(|(_, other, _)| (other, uid)));
            let thing = Thing {
                uid,
                kind: row.kind.unwrap_or("unknown"),
                name: row.name,
                account: row.account.unwrap_or_default(),
                region: row.region,
                relations: relations.map(|(kind, to, ..)| (kind, to)).collect(),
                configuration: row.configuration.unwrap_or_default(),
            };
            things.all.insert(uid, thing);
        }
        things
    }

    /// What a uid leads to, by its own name or another.
    pub(super) fn find(&self, uid: &str) -> Option<&Thing<'a>> {
        let own = self.all.get(uid);
        own.or_else(|| self.all.get(self.same.get(uid)?))
    }

    /// All edges between things, and to what was not scanned.
    pub(super) fn edges(&self) -> impl Iterator<Item = (&Thing<'a>, &'a str, &str)> {
        self.all.values().flat_map(move |thing| {
            let relations = thing.relations.iter();
            relations.map(move |(kind, to)| {
                let to: &str = self.find(to).map_or(to, |thing| thing.uid);
                (thing, *kind, to)
            })
        })
    }

    /// The subnets and the VPCs that a thing lies in.
    pub(super) fn places(&self, thing: &Thing<'a>) -> Places<'a> {
        let mut places = Places::default();
        let mut frontier = vec![thing.uid];
        let mut seen: BTreeSet<&str> = frontier.iter().copied().collect();
        for _ in 0..FAR {
            let mut next = Vec::new();
            for thing in frontier.iter().filter_map(|uid| self.find(uid)) {
                match thing.kind {
                    "AWS::EC2::VPC" => {
                        places.vpcs.insert(thing.uid);
                        continue;
                    }
                    "AWS::EC2::Subnet" => {
                        places.subnets.insert(thing.uid);
                    }
                    _ => {}
                }
                next.extend(thing.up().filter(|to| seen.insert(to)));
            }
            frontier = next;
        }
        places
    }
}

#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    pub(super) subnets: BTreeSet<&'a str>,
    pub(super) vpcs: BTreeSet<&'a str>,
}

impl<'a> Thing<'a> {
    /// What it is part of; else what it is attached to, or a member of.
    fn up(&self) -> impl Iterator<Item = &'a str> {
        let is_part = self
            .relations
            .iter()
            .any(|(kind, _)| *kind == kind::PART_OF);
        let leads_up = move |kind: &str| match is_part {
            true => kind == kind::PART_OF,
            false => matches!(kind, kind::ATTACHED_TO | kind::MEMBER_OF),
        };
        let relations = self.relations.iter();
        relations
            .filter(move |(kind, _)| leads_up(kind))
            .map(|(_, to)| *to)
    }

    /// What people call it, else its id.
    pub(super) fn label(&self) -> Cow<'a, str> {
        label(self.name, self.uid)
    }

    pub(super) fn id(&self) -> Cow<'a, str> {
        short_id(self.uid)
    }

    /// A text of its configuration.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        Map::new(self.configuration)
            .get(key)
            .and_then(Value::as_text)
    }
}

/// `AWS::EC2::SecurityGroup` is a `SecurityGroup`.
pub(super) fn short(kind: &str) -> &str {
    kind.rsplit("::").next().unwrap_or(kind)
}
