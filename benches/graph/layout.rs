//! The resources of the cloud and the edges between them, as a pure function of the size: the same size gives the
//! same cloud in every build.

use crate::kinds::{INTERFACE, KEY, KINDS, SECURITY_GROUP, SERVICE, VOLUME};

const REGIONS: [&str; 4] = ["eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2"];

/// A resource: its kind (an index in [`KINDS`]) and its number within the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResourceId {
    pub(crate) kind: usize,
    pub(crate) number: usize,
}

/// An account and region, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRegionIndex(usize);

#[derive(Clone, Debug)]
pub(crate) struct Layout {
    counts: [usize; KINDS.len()],
    edges: usize,
    /// Ten thousand nodes each.
    accounts: usize,
}

impl Layout {
    pub(crate) fn new(nodes: usize, edges: usize) -> Layout {
        let mut counts = [0; KINDS.len()];
        for (count, kind) in counts.iter_mut().zip(&KINDS) {
            *count = (nodes * kind.share / 1000).max(1);
        }
        Layout {
            counts,
            edges,
            accounts: (nodes / 10_000).max(2),
        }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.counts.iter().sum()
    }

    pub(crate) fn count(&self, kind: usize) -> usize {
        self.counts[kind]
    }

    /// Number of edges to a hub: 100,000 at a million nodes.
    pub(crate) fn hub_edges(&self) -> usize {
        self.nodes() / 10
    }

    /// A key that encrypts many volumes, and a security group of many interfaces.
    pub(crate) fn hubs() -> [ResourceId; 2] {
        [KEY, SECURITY_GROUP].map(|kind| ResourceId { kind, number: 0 })
    }

    /// A pseudo-random node; uniform, and the same for the same seed.
    pub(crate) fn any(&self, seed: u64) -> ResourceId {
        self.nth(pick(seed, self.nodes()))
    }

    pub(crate) fn nth(&self, mut number: usize) -> ResourceId {
        let mut kind = 0;
        while number >= self.counts[kind] {
            number -= self.counts[kind];
            kind += 1;
        }
        ResourceId { kind, number }
    }

    /// A pseudo-random node of a kind.
    pub(crate) fn any_of(&self, kind: usize, seed: u64) -> ResourceId {
        let number = pick(seed, self.counts[kind]);
        ResourceId { kind, number }
    }

    pub(crate) fn account_regions(&self) -> impl Iterator<Item = AccountRegionIndex> + use<> {
        (0..self.accounts * REGIONS.len()).map(AccountRegionIndex)
    }

    pub(crate) fn account_region(&self, id: ResourceId) -> AccountRegionIndex {
        AccountRegionIndex(id.number % (self.accounts * REGIONS.len()))
    }

    /// All resources of a kind in an account and region.
    pub(crate) fn of_account_region(
        &self,
        kind: usize,
        account_region: AccountRegionIndex,
    ) -> impl Iterator<Item = ResourceId> + use<> {
        let numbers = (account_region.0..self.counts[kind]).step_by(self.accounts * REGIONS.len());
        numbers.map(move |number| ResourceId { kind, number })
    }

    pub(crate) fn account(&self, account_region: AccountRegionIndex) -> String {
        format!(
            "{:012}",
            200_000_000_017_u64 + 7919 * (account_region.0 % self.accounts) as u64
        )
    }

    pub(crate) fn region(&self, account_region: AccountRegionIndex) -> &'static str {
        REGIONS[account_region.0 / self.accounts]
    }

    /// The id of the VPC in which private addresses are unique.
    pub(crate) fn network(&self, account_region: AccountRegionIndex) -> String {
        format!("vpc-0{:016x}", mix(account_region.0 as u64))
    }

    /// The distinct edges that start at a node: kinds and targets. Targets are in the same account and region if it
    /// has nodes of their kind.
    pub(crate) fn edges(&self, id: ResourceId) -> Vec<(&'static str, ResourceId)> {
        let kinds = KINDS[id.kind].edges;
        if kinds.is_empty() {
            return Vec::new();
        }
        let before: usize = self.counts[..id.kind].iter().sum::<usize>() + id.number;
        // The nodes together have `self.edges` edges.
        let share = |nodes: usize| nodes * self.edges / self.nodes();
        let count = share(before + 1) - share(before);
        let mut edges: Vec<(&'static str, ResourceId)> = Vec::with_capacity(count);
        for turn in 0..count {
            let (kind, to) = kinds[turn % kinds.len()];
            let edge = (kind, self.target(id, to, turn));
            if !edges.contains(&edge) && edge.1 != id {
                edges.push(edge);
            }
        }
        edges
    }

    fn target(&self, from: ResourceId, kind: usize, turn: usize) -> ResourceId {
        let has_hub = matches!(
            (from.kind, kind),
            (VOLUME, KEY) | (INTERFACE, SECURITY_GROUP)
        );
        if has_hub && turn == 0 && from.number < self.hub_edges() {
            return ResourceId { kind, number: 0 };
        }
        let account_regions = self.accounts * REGIONS.len();
        let seed = mix((from.kind as u64) << 56 | (turn as u64) << 40 | from.number as u64);
        let account_region = self.account_region(from).0;
        let in_account_region = self.counts[kind]
            .saturating_sub(account_region)
            .div_ceil(account_regions);
        // Services call each other across accounts and regions.
        let number = match in_account_region == 0 || kind == SERVICE {
            true => pick(seed, self.counts[kind]),
            false => account_region + account_regions * pick(seed, in_account_region),
        };
        ResourceId { kind, number }
    }
}

fn pick(seed: u64, from: usize) -> usize {
    (mix(seed) % from as u64) as usize
}

/// SplitMix64: pseudo-random numbers, the same for the same seed.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
