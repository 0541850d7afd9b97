//! What was seen, by account, region, VPC and subnet.

use std::collections::BTreeMap;
use std::fmt::Write;

use pipeline::label::short_id;

use super::things::{Thing, Things, short};

/// Columns of a line, where its words let it.
const WIDTH: usize = 110;

/// How many of each kind.
type Counts<'a> = BTreeMap<&'a str, usize>;

#[derive(Default)]
struct Region<'a> {
    vpcs: BTreeMap<&'a str, Vpc<'a>>,
    outside: Counts<'a>,
}

#[derive(Default)]
struct Vpc<'a> {
    subnets: BTreeMap<&'a str, Counts<'a>>,
    itself: Counts<'a>,
}

/// ```text
/// 123456789012 us-east-1: 147 resources
/// ├─ VPC main (vpc-1) 10.0.0.0/16: 3 SecurityGroup, 2 RouteTable
/// │  └─ Subnet public-a (subnet-1) 10.0.1.0/24: 2 Instance, 1 NatGateway
/// └─ in no VPC: 2 Key
/// ```
pub(super) fn text(things: &Things<'_>) -> String {
    let mut regions: BTreeMap<(&str, &str), Region<'_>> = BTreeMap::new();
    let mut totals: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for thing in things.all.values() {
        let key = (thing.account, thing.region.unwrap_or("global"));
        *totals.entry(key).or_default() += 1;
        regions.entry(key).or_default().add(things, thing);
    }
    let mut text = String::new();
    for (key @ (account, name), region) in &regions {
        let total = totals[key];
        let noun = if total == 1 { "resource" } else { "resources" };
        let _ = writeln!(text, "{account} {name}: {total} {noun}");
        region.write(things, *name != "global", &mut text);
    }
    if regions.is_empty() {
        text.push_str("nothing was found");
    }
    text
}

impl<'a> Region<'a> {
    fn add(&mut self, things: &Things<'a>, thing: &Thing<'a>) {
        let places = things.places(thing);
        let (Some(vpc), 1) = (places.vpcs.first(), places.vpcs.len()) else {
            *self.outside.entry(short(thing.kind)).or_default() += 1;
            return;
        };
        let vpc = self.vpcs.entry(vpc).or_default();
        let counts = match (thing.kind, places.subnets.first()) {
            ("AWS::EC2::VPC", _) => return,
            ("AWS::EC2::Subnet", _) => {
                vpc.subnets.entry(thing.uid).or_default();
                return;
            }
            (_, Some(subnet)) if places.subnets.len() == 1 => {
                vpc.subnets.entry(subnet).or_default()
            }
            _ => &mut vpc.itself,
        };
        *counts.entry(short(thing.kind)).or_default() += 1;
    }

    fn write(&self, things: &Things<'_>, has_vpcs: bool, text: &mut String) {
        let lines = self.vpcs.len() + usize::from(!self.outside.is_empty());
        for (index, (uid, vpc)) in by_name(things, &self.vpcs).into_iter().enumerate() {
            let (branch, below) = branches(index + 1 == lines);
            let inner = if vpc.subnets.is_empty() {
                "   "
            } else {
                "│  "
            };
            let under = format!("{below}{inner}");
            line(
                text,
                branch,
                &under,
                &place(things, "VPC", uid),
                &vpc.itself,
            );
            for (index, (uid, counts)) in by_name(things, &vpc.subnets).into_iter().enumerate() {
                let (branch, inner) = branches(index + 1 == vpc.subnets.len());
                let (branch, under) = (format!("{below}{branch}"), format!("{below}{inner}"));
                line(text, &branch, &under, &place(things, "Subnet", uid), counts);
            }
        }
        if !self.outside.is_empty() {
            let label = match self.vpcs.is_empty() && has_vpcs {
                true => "in no VPC that was scanned",
                false => "in no VPC",
            };
            line(text, "└─ ", "   ", label, &self.outside);
        }
    }
}

/// What stands before a line, and before those under it.
fn branches(is_last: bool) -> (&'static str, &'static str) {
    if is_last {
        ("└─ ", "   ")
    } else {
        ("├─ ", "│  ")
    }
}

/// `├─ Subnet public-a (subnet-1): 2 Instance, 1 NatGateway`, on several lines where it is long.
fn line(text: &mut String, branch: &str, under: &str, place: &str, counts: &Counts<'_>) {
    let mut current = format!("{branch}{place}");
    let mut mark = ": ";
    for (kind, count) in counts {
        let next = format!("{mark}{count} {kind}");
        if current.chars().count() + next.chars().count() > WIDTH {
            let _ = writeln!(text, "{current}{}", mark.trim_end());
            current = format!("{under}  {count} {kind}");
        } else {
            current.push_str(&next);
        }
        mark = ", ";
    }
    let _ = writeln!(text, "{current}");
}

/// In the order in which people look for them.
fn by_name<'m, V>(things: &Things<'_>, of: &'m BTreeMap<&str, V>) -> Vec<(&'m str, &'m V)> {
    let mut all: Vec<_> = of.iter().map(|(uid, value)| (*uid, value)).collect();
    all.sort_by_key(|(uid, _)| (things.find(uid).and_then(|thing| thing.name), *uid));
    all
}

/// `VPC main (vpc-1) 10.0.0.0/16`.
fn place(things: &Things<'_>, kind: &str, uid: &str) -> String {
    let Some(thing) = things.find(uid) else {
        return format!("{kind} {}", short_id(uid));
    };
    let cidr = thing.text("CidrBlock").unwrap_or_default();
    let named = match thing.name {
        Some(name) => format!("{kind} {name} ({}) {cidr}", thing.id()),
        None => format!("{kind} {} {cidr}", thing.id()),
    };
    named.trim_end().to_owned()
}
