//! A cloud that a scan has told of, and spans of those who call it.

use std::sync::Arc;

use pipeline::alias_index::AliasIndex;
use pipeline::attributes::map_from_json;
use pipeline::component::{Host, Processor, Shared, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{otlp_context, traces};
use pipeline::{Batch, Delivery, Signal, SignalSet};
use serde_json::{Value as Json, json};

use super::super::{Config, Identity};
use super::support::at;

/// Kind, value and scope.
pub(super) type Alias<'a> = (&'a str, &'a str, Option<&'a str>);

pub(super) const DATABASE: &str = "arn:aws:rds:eu-west-1:42:db:orders";

/// The uid of an instance by the end of its id.
pub(super) fn instance(id: &str) -> String {
    format!("arn:aws:ec2:eu-west-1:42:instance/i-{id}")
}

/// The names that one process knows.
pub(super) struct Cloud {
    shared: Arc<Shared>,
    pub(super) index: Arc<AliasIndex>,
}

impl Cloud {
    /// Somebody will tell of it: there is a `graph`.
    pub(super) fn new() -> Cloud {
        let shared = Arc::default();
        let host = Host::new(
            "graph".parse().unwrap(),
            SignalSet::NONE,
            Arc::clone(&shared),
        );
        let index = host.alias_index();
        index.ask();
        index.feed();
        Cloud { shared, index }
    }

    pub(super) fn identity(&self) -> Identity {
        let id = "identity".parse().unwrap();
        let host = Host::new(id, SignalSet::ALL, Arc::clone(&self.shared));
        Identity::build(Config::default(), &host).unwrap()
    }

    /// All names of a uid, as a scan tells them.
    pub(super) fn tell(&self, uid: &str, second: u64, names: &[Alias<'_>]) {
        let mut writer = self.index.writer().unwrap();
        writer.put_aliases(uid, "aws", at(second), names.iter().copied());
    }

    /// An instance with an address in a network.
    pub(super) fn tell_instance(&self, id: &str, second: u64, network: &str, ip: &str) {
        self.tell(&instance(id), second, &[("ip", ip, Some(network))]);
    }

    /// A DNS record, and where it leads.
    pub(super) fn tell_record(&self, name: &str, second: u64, targets: &[&str]) {
        let uid = record(name);
        self.tell(&uid, second, &[("dns", name, None)]);
        let mut writer = self.index.writer().unwrap();
        writer.put_targets(&uid, "aws", at(second), targets.iter().copied());
    }

    pub(super) fn end(&self, uid: &str, second: u64) {
        self.index.writer().unwrap().delete(uid, at(second));
    }
}

/// The uid of a DNS record.
pub(super) fn record(name: &str) -> String {
    format!("arn:aws:route53:::hostedzone/Z/recordset/{name}/CNAME")
}

/// A client's span.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) resource: Json,
    pub(super) attributes: Json,
    pub(super) kind: i64,
    pub(super) second: u64,
    pub(super) peer_uid: Option<&'static str>,
}

/// Of a service that nothing else is known of.
pub(super) fn call(second: u64, attributes: Json) -> Call {
    Call {
        resource: json!({"service.name": "web"}),
        attributes,
        kind: 3,
        second,
        peer_uid: None,
    }
}

/// Of a service on an instance.
pub(super) fn call_from(id: &str, second: u64, attributes: Json) -> Call {
    let resource = json!({
        "service.name": "web", "host.id": format!("i-{id}"),
        "cloud.account.id": "42", "cloud.region": "eu-west-1",
    });
    Call {
        resource,
        ..call(second, attributes)
    }
}

/// Of a server by its name or address, as of today's conventions.
pub(super) fn to(host: &str) -> Json {
    json!({"server.address": host, "server.port": 5432})
}

pub(super) fn spans(calls: &[Call]) -> Batch {
    let mut rows = Rows::new(Signal::Traces);
    for call in calls {
        let [resource, attributes] = [&call.resource, &call.attributes]
            .map(|attributes| map_from_json(attributes.as_object().unwrap()));
        let name = call.resource["service.name"].as_str();
        let cells = [
            (traces::KIND, Cell::Int(call.kind)),
            (traces::ATTRIBUTES, Cell::Bytes(&attributes)),
            (traces::PEER_UID, call.peer_uid.into()),
            (otlp_context::SERVICE_NAME, name.into()),
            (otlp_context::RESOURCE_ATTRIBUTES, Cell::Bytes(&resource)),
        ];
        rows.push(Some(at(call.second)), None, "otlp", &cells);
    }
    rows.finish(Delivery::nobody())
}

/// When all that these tests tell of is over.
pub(super) const NOW: u64 = 10_000;

/// The peer of each span; none is empty.
pub(super) fn peers(identity: &mut Identity, calls: &[Call]) -> Vec<String> {
    let made = identity.process(spans(calls), at(NOW)).unwrap();
    let peers = made.last().unwrap().text(traces::PEER_UID);
    peers
        .iter()
        .map(|uid| uid.unwrap_or("").to_owned())
        .collect()
}

/// The peer of one span.
pub(super) fn peer(cloud: &Cloud, call: Call) -> String {
    peers(&mut cloud.identity(), &[call]).remove(0)
}

pub(super) fn now() -> UnixNanos {
    at(NOW)
}
