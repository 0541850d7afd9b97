//! Prints the resources of a scan as a tree of accounts, regions, VPCs and subnets.

use std::collections::BTreeMap;
use std::fmt::Write;

use pipeline::label::short_id;

use super::resources::{ScannedResource, ScannedResources, short_kind};

/// The maximum length of a line, in characters.
const WIDTH: usize = 110;

/// Number of resources by kind.
type KindCounts<'a> = BTreeMap<&'a str, usize>;

/// The resources of one account and region.
#[derive(Default)]
struct RegionTree<'a> {
    vpcs: BTreeMap<&'a str, VpcTree<'a>>,
    /// Resources that are in no VPC, or in several.
    outside: KindCounts<'a>,
}

/// The resources of one VPC.
#[derive(Default)]
struct VpcTree<'a> {
    subnets: BTreeMap<&'a str, KindCounts<'a>>,
    /// Resources that are in no subnet, or in several.
    without_subnet: KindCounts<'a>,
}

/// Renders the tree:
///
/// ```text
/// 123456789012 us-east-1: 147 resources
/// ├─ VPC main (vpc-1) 10.0.0.0/16: 3 SecurityGroup, 2 RouteTable
/// │  └─ Subnet public-a (subnet-1) 10.0.1.0/24: 2 Instance, 1 NatGateway
/// └─ in no VPC: 2 Key
/// ```
pub(super) fn text(resources: &ScannedResources<'_>) -> String {
    let mut regions: BTreeMap<(&str, &str), RegionTree<'_>> = BTreeMap::new();
    let mut totals: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for resource in resources.all.values() {
        let key = (resource.account, resource.region.unwrap_or("global"));
        *totals.entry(key).or_default() += 1;
        regions.entry(key).or_default().add(resources, resource);
    }
    let mut text = String::new();
    for (key @ (account, name), region) in &regions {
        let total = totals[key];
        let noun = if total == 1 { "resource" } else { "resources" };
        let _ = writeln!(text, "{account} {name}: {total} {noun}");
        region.write(resources, *name != "global", &mut text);
    }
    if regions.is_empty() {
        text.push_str("no resources were found");
    }
    text
}

impl<'a> RegionTree<'a> {
    /// Counts a resource in its VPC and subnet.
    fn add(&mut self, resources: &ScannedResources<'a>, resource: &ScannedResource<'a>) {
        let containers = resources.containers(resource);
        let (Some(vpc), 1) = (containers.vpcs.first(), containers.vpcs.len()) else {
            *self.outside.entry(short_kind(resource.kind)).or_default() += 1;
            return;
        };
        let vpc = self.vpcs.entry(vpc).or_default();
        let counts = match (resource.kind, containers.subnets.first()) {
            ("AWS::EC2::VPC", _) => return,
            ("AWS::EC2::Subnet", _) => {
                vpc.subnets.entry(resource.uid).or_default();
                return;
            }
            (_, Some(subnet)) if containers.subnets.len() == 1 => {
                vpc.subnets.entry(subnet).or_default()
            }
            _ => &mut vpc.without_subnet,
        };
        *counts.entry(short_kind(resource.kind)).or_default() += 1;
    }

    /// Writes the tree. `can_have_vpcs` is false for global resources.
    fn write(&self, resources: &ScannedResources<'_>, can_have_vpcs: bool, text: &mut String) {
        let branch_count = self.vpcs.len() + usize::from(!self.outside.is_empty());
        for (index, (uid, vpc)) in by_name(resources, &self.vpcs).into_iter().enumerate() {
            let (branch, below) = branches(index + 1 == branch_count);
            let inner = if vpc.subnets.is_empty() {
                "   "
            } else {
                "│  "
            };
            let under = format!("{below}{inner}");
            write_line(
                text,
                branch,
                &under,
                &heading(resources, "VPC", uid),
                &vpc.without_subnet,
            );
            for (index, (uid, counts)) in by_name(resources, &vpc.subnets).into_iter().enumerate() {
                let (branch, inner) = branches(index + 1 == vpc.subnets.len());
                let (branch, under) = (format!("{below}{branch}"), format!("{below}{inner}"));
                write_line(
                    text,
                    &branch,
                    &under,
                    &heading(resources, "Subnet", uid),
                    counts,
                );
            }
        }
        if !self.outside.is_empty() {
            let label = match self.vpcs.is_empty() && can_have_vpcs {
                true => "in no scanned VPC",
                false => "in no VPC",
            };
            write_line(text, "└─ ", "   ", label, &self.outside);
        }
    }
}

/// The prefix of a line, and that of the lines below it.
fn branches(is_last: bool) -> (&'static str, &'static str) {
    if is_last {
        ("└─ ", "   ")
    } else {
        ("├─ ", "│  ")
    }
}

/// Writes a line such as `├─ Subnet public-a (subnet-1): 2 Instance, 1 NatGateway`, and wraps it if it is too long.
/// `branch` is the prefix of the line, `under` that of its continuation.
fn write_line(
    text: &mut String,
    branch: &str,
    under: &str,
    heading: &str,
    counts: &KindCounts<'_>,
) {
    let mut current = format!("{branch}{heading}");
    let mut separator = ": ";
    for (kind, count) in counts {
        let next = format!("{separator}{count} {kind}");
        if current.chars().count() + next.chars().count() > WIDTH {
            let _ = writeln!(text, "{current}{}", separator.trim_end());
            current = format!("{under}  {count} {kind}");
        } else {
            current.push_str(&next);
        }
        separator = ", ";
    }
    let _ = writeln!(text, "{current}");
}

/// The entries of a map with uids as keys, sorted by the name of the resource, then by uid.
fn by_name<'m, V>(
    resources: &ScannedResources<'_>,
    by_uid: &'m BTreeMap<&str, V>,
) -> Vec<(&'m str, &'m V)> {
    let mut all: Vec<_> = by_uid.iter().map(|(uid, value)| (*uid, value)).collect();
    all.sort_by_key(|(uid, _)| (resources.find(uid).and_then(|resource| resource.name), *uid));
    all
}

/// The heading of a VPC or subnet: `VPC main (vpc-1) 10.0.0.0/16`.
fn heading(resources: &ScannedResources<'_>, kind: &str, uid: &str) -> String {
    let Some(resource) = resources.find(uid) else {
        return format!("{kind} {}", short_id(uid));
    };
    let cidr = resource.text("CidrBlock").unwrap_or_default();
    let named = match resource.name {
        Some(name) => format!("{kind} {name} ({}) {cidr}", resource.id()),
        None => format!("{kind} {} {cidr}", resource.id()),
    };
    named.trim_end().to_owned()
}
