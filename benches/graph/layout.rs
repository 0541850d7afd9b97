//! Who exists in the cloud and who is connected with whom, as a function of numbers: one size gives
//! one cloud, in every build.

use crate::kinds::{INTERFACE, KEY, KINDS, SECURITY_GROUP, SERVICE, VOLUME};

const REGIONS: [&str; 4] = ["eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2"];

/// A resource: its kind (a place in [`KINDS`]) and which of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) kind: usize,
    pub(crate) number: usize,
}

/// An account and region, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

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

    /// Nodes that a hub has edges from: 100,000 of a million.
    pub(crate) fn hub_edges(&self) -> usize {
        self.nodes() / 10
    }

    /// A key that encrypts many volumes, and a security group of many interfaces.
    pub(crate) fn hubs() -> [Id; 2] {
        [KEY, SECURITY_GROUP].map(|kind| Id { kind, number: 0 })
    }

    /// Any node, the same for the same seed, as likely as any other.
    pub(crate) fn any(&self, seed: u64) -> Id {
        self.nth(pick(seed, self.nodes()))
    }

    pub(crate) fn nth(&self, mut number: usize) -> Id {
        let mut kind = 0;
        while number >= self.counts[kind] {
            number -= self.counts[kind];
            kind += 1;
        }
        Id { kind, number }
    }

    /// Any node of a kind.
    pub(crate) fn any_of(&self, kind: usize, seed: u64) -> Id {
        let number = pick(seed, self.counts[kind]);
        Id { kind, number }
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.accounts * REGIONS.len()).map(Place)
    }

    pub(crate) fn place(&self, id: Id) -> Place {
        Place(id.number % (self.accounts * REGIONS.len()))
    }

    /// All resources of a kind in an account and region.
    pub(crate) fn of_place(&self, kind: usize, place: Place) -> impl Iterator<Item = Id> + use<> {
        let numbers = (place.0..self.counts[kind]).step_by(self.accounts * REGIONS.len());
        numbers.map(move |number| Id { kind, number })
    }

    pub(crate) fn account(&self, place: Place) -> String {
        format!(
            "{:012}",
            200_000_000_017_u64 + 7919 * (place.0 % self.accounts) as u64
        )
    }

    pub(crate) fn region(&self, place: Place) -> &'static str {
        REGIONS[place.0 / self.accounts]
    }

    /// The id of the VPC in which private addresses are unique.
    pub(crate) fn network(&self, place: Place) -> String {
        format!("vpc-0{:016x}", mix(place.0 as u64))
    }

    /// The edges that start at a node: kinds and ends, each once. Ends are of the same account and
    /// region where there are any.
    pub(crate) fn edges(&self, id: Id) -> Vec<(&'static str, Id)> {
        let kinds = KINDS[id.kind].edges;
        if kinds.is_empty() {
            return Vec::new();
        }
        let before: usize = self.counts[..id.kind].iter().sum::<usize>() + id.number;
        // So many that all nodes together have the edges that were asked for.
        let share = |nodes: usize| nodes * self.edges / self.nodes();
        let wanted = share(before + 1) - share(before);
        let mut edges: Vec<(&'static str, Id)> = Vec::with_capacity(wanted);
        for turn in 0..wanted {
            let (kind, to) = kinds[turn % kinds.len()];
            let edge = (kind, self.end(id, to, turn));
            if !edges.contains(&edge) && edge.1 != id {
                edges.push(edge);
            }
        }
        edges
    }

    fn end(&self, from: Id, kind: usize, turn: usize) -> Id {
        let has_hub = matches!(
            (from.kind, kind),
            (VOLUME, KEY) | (INTERFACE, SECURITY_GROUP)
        );
        if has_hub && turn == 0 && from.number < self.hub_edges() {
            return Id { kind, number: 0 };
        }
        let places = self.accounts * REGIONS.len();
        let seed = mix((from.kind as u64) << 56 | (turn as u64) << 40 | from.number as u64);
        let place = self.place(from).0;
        let in_place = self.counts[kind].saturating_sub(place).div_ceil(places);
        // Services call each other wherever they are.
        let number = match in_place == 0 || kind == SERVICE {
            true => pick(seed, self.counts[kind]),
            false => place + places * pick(seed, in_place),
        };
        Id { kind, number }
    }
}

fn pick(seed: u64, from: usize) -> usize {
    (mix(seed) % from as u64) as usize
}

/// SplitMix64: numbers that look random, the same for the same seed.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
