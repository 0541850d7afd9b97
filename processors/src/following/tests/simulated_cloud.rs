//! A small cloud that changes at random and reports its changes.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::graph_store::Commit;
use pipeline::resource::{Resource, ResourceAlias, ResourceRelation, ScanContext};
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, edges, nodes};
use pipeline::{Batch, Delivery, Signal};
use rand::Rng;
use rand::rngs::StdRng;

const SECOND: u64 = 1_000_000_000;
const SCOPES: usize = 3;
pub(super) const UIDS: usize = 8;
pub(super) const NAMES: usize = 6;

pub(super) fn at(second: u64) -> UnixNanos {
    UnixNanos((1_700_000_000 + second) * SECOND)
}

pub(super) fn uid(number: usize) -> String {
    format!("u{number}")
}

pub(super) fn host(number: usize) -> String {
    format!("n{number}.example")
}

pub(super) fn address(number: usize) -> String {
    format!("10.0.0.{number}")
}

pub(super) struct SimulatedCloud {
    rng: StdRng,
    pub(super) second: u64,
    /// The resources that exist, by number, each with its scope.
    resources: BTreeMap<usize, (usize, Resource)>,
    /// Whether some scans have so many resources that their commit is truncated.
    with_large_scans: bool,
}

impl SimulatedCloud {
    pub(super) fn new(rng: StdRng, with_large_scans: bool) -> SimulatedCloud {
        SimulatedCloud {
            with_large_scans,
            rng,
            second: 0,
            resources: BTreeMap::new(),
        }
    }

    /// Returns true with this probability.
    pub(super) fn happens_with(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    /// A random number below `limit`.
    fn number(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    /// Creates, changes, moves or deletes a resource.
    fn change(&mut self) {
        let (number, change) = (self.number(UIDS), self.number(6));
        match change {
            0 => {
                self.resources.remove(&number);
            }
            1 => {
                let scope = self.number(SCOPES);
                if let Some((old_scope, _)) = self.resources.get_mut(&number) {
                    *old_scope = scope;
                }
            }
            _ => {
                let resource = self.resource(number);
                let scope = self.number(SCOPES);
                let scope = self
                    .resources
                    .get(&number)
                    .map_or(scope, |(scope, _)| *scope);
                self.resources.insert(number, (scope, resource));
            }
        }
    }

    fn resource(&mut self, number: usize) -> Resource {
        let mut resource = Resource {
            uid: uid(number),
            kind: "AWS::EC2::Instance".into(),
            name: Some(format!("called {}", self.number(3))),
            provider: "aws".into(),
            ..Resource::default()
        };
        for _ in 0..self.number(3) {
            let alias = match self.number(3) {
                0 => ResourceAlias::new("dns", host(self.number(NAMES))),
                1 => ResourceAlias::within("vpc", "ip", address(self.number(NAMES))),
                _ => ResourceAlias::new("id", uid(number)),
            };
            resource.aliases.push(alias);
        }
        for _ in 0..self.number(3) {
            let to = uid(self.number(UIDS));
            resource
                .relations
                .push(ResourceRelation::to("SECURED_BY", to));
        }
        resource
    }

    /// Advances the time, changes the cloud and returns the next report.
    pub(super) fn report(&mut self) -> Vec<Batch> {
        self.second += 1 + self.number(20) as u64;
        for _ in 0..self.number(3) {
            self.change();
        }
        match self.number(8) {
            0 => self.observed_edge(),
            1 => vec![self.observed_name()],
            2 => vec![self.delete_event()],
            _ => vec![self.scan()],
        }
    }

    fn scan(&mut self) -> Batch {
        let scope = self.number(SCOPES);
        let name = format!("scope {scope}");
        let filler_count = match self.with_large_scans && self.happens_with(0.1) {
            true => Commit::MAX_ITEMS + 1,
            false => 0,
        };
        if filler_count > 0 {
            // The truncated commit does not name these deletions.
            self.resources.retain(|_, (other, _)| *other != scope);
        }
        let filler: Vec<Resource> = (0..filler_count)
            .map(|number| Resource {
                // These uids sort before all others, so the truncated commit names no other uid.
                uid: format!("a{scope} {number}"),
                kind: "AWS::EC2::Volume".into(),
                provider: "aws".into(),
                ..Resource::default()
            })
            .collect();
        let scan = ScanContext {
            source: "aws",
            group: nodes::group::ACTUAL,
            scope: &name,
            id: Some("scan"),
            began: at(self.second),
        };
        let mut rows = Rows::new(Signal::Resources);
        let members = self.resources.values();
        let members = members.filter(|(other, _)| *other == scope);
        let members: Vec<Resource> = members.map(|(_, resource)| resource.clone()).collect();
        scan.push_whole_scan(&mut rows, filler.iter().chain(&members));
        rows.finish(Delivery::untracked())
    }

    /// The observation that a service calls a resource.
    fn observed_edge(&mut self) -> Vec<Batch> {
        let from = format!("service {}", self.number(2));
        let mut services = Rows::new(Signal::Nodes);
        let cells = [
            (nodes::OP, Cell::Text("observed")),
            (nodes::GROUP, Cell::Text(nodes::group::TELEMETRY)),
            (nodes::KIND, Cell::Text("service")),
        ];
        services.push(Some(at(self.second)), Some(&from), "otlp", &cells);
        let mut rows = Rows::new(Signal::Edges);
        let to = uid(self.number(UIDS));
        let cells = [
            (edges::MODE, Cell::Text("observed")),
            (edges::KIND, Cell::Text("CALLS")),
            (edges::TO, Cell::Text(&to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(at(self.second)), Some(&from), "otlp", &cells);
        [services, rows]
            .map(|mut rows| rows.finish(Delivery::untracked()))
            .into()
    }

    /// The observation that a service has a name.
    fn observed_name(&mut self) -> Batch {
        let mut rows = Rows::new(Signal::Aliases);
        // The owner is not a resource, since no source observes the names of a deleted resource.
        let (owner, name) = (
            format!("service {}", self.number(2)),
            host(self.number(NAMES)),
        );
        let cells = [
            (aliases::MODE, Cell::Text("observed")),
            (aliases::KIND, Cell::Text("dns")),
            (aliases::VALUE, Cell::Text(&name)),
            (aliases::VALID_FROM, Cell::Time(at(self.second))),
        ];
        rows.push(Some(at(self.second)), Some(&owner), "otlp", &cells);
        rows.finish(Delivery::untracked())
    }

    /// A delete event of a resource that may or may not exist.
    fn delete_event(&mut self) -> Batch {
        let number = self.number(UIDS);
        self.resources.remove(&number);
        let mut rows = Rows::new(Signal::Resources);
        let cells = [
            (pipeline::schema::resources::OP, Cell::Text("deleted")),
            (pipeline::schema::resources::GROUP, Cell::Text("actual")),
            (
                pipeline::schema::resources::KIND,
                Cell::Text("AWS::EC2::Instance"),
            ),
        ];
        rows.push(Some(at(self.second)), Some(&uid(number)), "trail", &cells);
        // A scan that begins within 5 minutes after a delete event may still list the resource.
        self.second += 301;
        rows.finish(Delivery::untracked())
    }
}
