//! A resource with its aliases, tags and configuration, as a receiver reports it.

use pipeline::attributes::MapBuilder;
use pipeline::schema::aliases::kind::SAME_AS;
use pipeline::uid;

use crate::kinds::{BALANCER, DATABASE, INSTANCE, INTERFACE, KINDS, POD, RECORD, SERVICE};
use crate::layout::{Layout, ResourceId, mix};

#[derive(Clone, Debug, Default)]
pub(crate) struct BenchResource {
    pub(crate) uid: String,
    pub(crate) kind: &'static str,
    pub(crate) source: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) region: &'static str,
    /// Edge kinds and uids.
    pub(crate) edges: Vec<(&'static str, String)>,
    /// Kind, value and scope.
    pub(crate) aliases: Vec<(&'static str, String, Option<String>)>,
    /// Attributes, encoded.
    pub(crate) tags: Vec<u8>,
    /// Attributes, encoded.
    pub(crate) configuration: Vec<u8>,
    /// A state number that differs between versions, like `Resource::state` of a receiver.
    pub(crate) state: u64,
}

impl Layout {
    fn aliases(&self, id: ResourceId) -> Vec<(&'static str, String, Option<String>)> {
        let mut aliases = vec![("name", self.name(id), None)];
        if KINDS[id.kind].arn.0 == "ec2" {
            aliases.push(("id", self.short_id(id), None));
        }
        let network = self.network(self.account_region(id));
        match id.kind {
            INSTANCE => {
                let ip = self.private_ip(id);
                let dns = format!("ip-{}.ec2.internal", ip.replace('.', "-"));
                aliases.push(("dns", dns, Some(network.clone())));
                aliases.push(("ip", ip, Some(network)));
            }
            INTERFACE => {
                let ip = self.private_ip(id);
                aliases.push((SAME_AS, uid::address(&network, &ip), None));
                aliases.push(("ip", ip, Some(network)));
            }
            DATABASE | BALANCER => {
                let host = self.host(id);
                for port in [None, Some(5432)] {
                    aliases.push((SAME_AS, uid::external(&host, port), None));
                }
                aliases.push(("dns", host, None));
            }
            RECORD => aliases.push(("dns", format!("{}.example.com", self.name(id)), None)),
            POD => aliases.push(("ip", self.private_ip(id), Some("pods".to_owned()))),
            _ => {}
        }
        aliases
    }

    /// The resource after `version` changes.
    pub(crate) fn resource(&self, id: ResourceId, version: u64) -> BenchResource {
        let (seed, account_region) = (Self::seed(id), self.account_region(id));
        let is_cloud = !matches!(id.kind, POD | SERVICE);
        let edges = self.edges(id).into_iter();
        let mut tags = MapBuilder::new();
        tags.text("Name", &self.name(id))
            .text("env", ["prod", "staging", "dev"][seed as usize % 3])
            .text("team", &format!("team-{:02}", seed % 40))
            .text("cost-center", &format!("{}", 1000 + seed % 90));
        if seed % 1000 == 7 {
            tags.text("ticket", &format!("OPS-{}", id.number));
        }
        let mut configuration = MapBuilder::new();
        configuration
            .text(
                "Type",
                ["m7g.large", "c7g.xlarge", "r7g.2xlarge"][seed as usize % 3],
            )
            .text("State", "available")
            .text("CreateTime", "2025-11-02T08:15:30.000Z")
            .text("OwnerId", &self.account(account_region))
            .text(
                "AvailabilityZone",
                &format!("{}a", self.region(account_region)),
            )
            .text(
                "Fingerprint",
                &format!("{:016x}{:016x}", mix(seed), mix(seed ^ 1)),
            )
            .int("Size", (seed % 4096) as i64)
            .int("Version", version as i64)
            .bool("Encrypted", true);
        BenchResource {
            uid: self.uid(id),
            kind: KINDS[id.kind].name,
            source: if is_cloud { "aws" } else { "kubernetes" },
            provider: if is_cloud { "aws" } else { "kubernetes" },
            name: self.name(id),
            account: self.account(account_region),
            region: self.region(account_region),
            edges: edges.map(|(kind, to)| (kind, self.uid(to))).collect(),
            aliases: self.aliases(id),
            tags: tags.finish(),
            configuration: configuration.finish(),
            state: mix(seed ^ version << 32).max(2),
        }
    }
}
