//! A small cloud that changes, and what processes report of it.

use std::collections::BTreeMap;

use pipeline::component::UnixNanos;
use pipeline::graph_store::Commit;
use pipeline::resource::{Alias, Relation, Resource, Scan};
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
    with_crowds: bool,
}

impl SimulatedCloud {
    pub(super) fn new(rng: StdRng, with_crowds: bool) -> SimulatedCloud {
        SimulatedCloud {
            with_crowds,
            rng,
            second: 0,
            resources: BTreeMap::new(),
        }
    }

    pub(super) fn chance(&mut self, of: f64) -> bool {
        self.rng.random_bool(of)
    }

    pub(super) fn any(&mut self, below: usize) -> usize {
        self.rng.random_range(0..below)
    }

    /// Creates, changes, moves or deletes a resource.
    fn change(&mut self) {
        let (number, what) = (self.any(UIDS), self.any(6));
        match what {
            0 => {
                self.resources.remove(&number);
            }
            1 => {
                let scope = self.any(SCOPES);
                if let Some((known, _)) = self.resources.get_mut(&number) {
                    *known = scope;
                }
            }
            _ => {
                let resource = self.resource(number);
                let scope = self.any(SCOPES);
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
            name: Some(format!("called {}", self.any(3))),
            provider: "aws".into(),
            ..Resource::default()
        };
        for _ in 0..self.any(3) {
            let alias = match self.any(3) {
                0 => Alias::new("dns", host(self.any(NAMES))),
                1 => Alias::within("vpc", "ip", address(self.any(NAMES))),
                _ => Alias::new("id", uid(number)),
            };
            resource.aliases.push(alias);
        }
        for _ in 0..self.any(3) {
            let to = uid(self.any(UIDS));
            resource.relations.push(Relation::to("SECURED_BY", to));
        }
        resource
    }

    /// The next report of a process.
    pub(super) fn report(&mut self) -> Vec<Batch> {
        self.second += 1 + self.any(20) as u64;
        for _ in 0..self.any(3) {
            self.change();
        }
        match self.any(8) {
            0 => self.observed_edge(),
            1 => vec![self.observed_name()],
            2 => vec![self.delete_event()],
            _ => vec![self.scan()],
        }
    }

    fn scan(&mut self) -> Batch {
        let scope = self.any(SCOPES);
        let name = format!("scope {scope}");
        let many = match self.with_crowds && self.chance(0.1) {
            true => Commit::MOST + 1,
            false => 0,
        };
        if many > 0 {
            // The truncated commit does not name these deletions.
            self.resources.retain(|_, (of, _)| *of != scope);
        }
        let crowd: Vec<Resource> = (0..many)
            .map(|number| Resource {
                // Sorts before all others, so that the commit leaves those out.
                uid: format!("a{scope} {number}"),
                kind: "AWS::EC2::Volume".into(),
                provider: "aws".into(),
                ..Resource::default()
            })
            .collect();
        let scan = Scan {
            source: "aws",
            group: nodes::group::ACTUAL,
            scope: &name,
            id: Some("scan"),
            began: at(self.second),
        };
        let mut rows = Rows::new(Signal::Resources);
        let members = self.resources.values().filter(|(of, _)| *of == scope);
        let members: Vec<Resource> = members.map(|(_, resource)| resource.clone()).collect();
        scan.whole(&mut rows, crowd.iter().chain(&members));
        rows.finish(Delivery::nobody())
    }

    /// A service calls something.
    fn observed_edge(&mut self) -> Vec<Batch> {
        let from = format!("service {}", self.any(2));
        let mut services = Rows::new(Signal::Nodes);
        let cells = [
            (nodes::OP, Cell::Text("observed")),
            (nodes::GROUP, Cell::Text(nodes::group::TELEMETRY)),
            (nodes::KIND, Cell::Text("service")),
        ];
        services.push(Some(at(self.second)), Some(&from), "otlp", &cells);
        let mut rows = Rows::new(Signal::Edges);
        let to = uid(self.any(UIDS));
        let cells = [
            (edges::MODE, Cell::Text("observed")),
            (edges::KIND, Cell::Text("CALLS")),
            (edges::TO, Cell::Text(&to)),
            (edges::CONFIDENCE, Cell::Float(1.0)),
        ];
        rows.push(Some(at(self.second)), Some(&from), "otlp", &cells);
        [services, rows]
            .map(|mut rows| rows.finish(Delivery::nobody()))
            .into()
    }

    fn observed_name(&mut self) -> Batch {
        let mut rows = Rows::new(Signal::Aliases);
        // Owned by a service, since a deleted resource is not observed any more.
        let (owner, name) = (format!("service {}", self.any(2)), host(self.any(NAMES)));
        let cells = [
            (aliases::MODE, Cell::Text("observed")),
            (aliases::KIND, Cell::Text("dns")),
            (aliases::VALUE, Cell::Text(&name)),
            (aliases::VALID_FROM, Cell::Time(at(self.second))),
        ];
        rows.push(Some(at(self.second)), Some(&owner), "otlp", &cells);
        rows.finish(Delivery::nobody())
    }

    fn delete_event(&mut self) -> Batch {
        let number = self.any(UIDS);
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
        rows.finish(Delivery::nobody())
    }
}
