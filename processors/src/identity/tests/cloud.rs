//! A cloud whose scans feed the alias index, and client spans that call it.

use std::sync::Arc;

use pipeline::alias_index::AliasIndex;
use pipeline::attributes::map_from_json;
use pipeline::component::{Host, Processor, SharedServices, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{otlp_context, traces};
use pipeline::{Batch, Delivery, Signal, SignalSet};
use serde_json::{Value as Json, json};

use super::support::at;
use crate::identity::{Config, Identity};

/// The kind, value and scope of an alias.
pub(super) type ScannedAlias<'a> = (&'a str, &'a str, Option<&'a str>);

pub(super) const DATABASE: &str = "arn:aws:rds:eu-west-1:42:db:orders";

/// The uid of the instance `i-{id}`.
pub(super) fn instance(id: &str) -> String {
    format!("arn:aws:ec2:eu-west-1:42:instance/i-{id}")
}

/// A process with an alias index.
pub(super) struct Cloud {
    shared: Arc<SharedServices>,
    pub(super) index: Arc<AliasIndex>,
}

impl Cloud {
    /// A process whose index has a source, as with a processor `graph`.
    pub(super) fn new() -> Cloud {
        let shared = Arc::default();
        let host = Host::new(
            "graph".parse().unwrap(),
            SignalSet::NONE,
            Arc::clone(&shared),
        );
        let index = host.alias_index();
        index.enable();
        index.add_source();
        Cloud { shared, index }
    }

    pub(super) fn identity(&self) -> Identity {
        let id = "identity".parse().unwrap();
        let host = Host::new(id, SignalSet::ALL, Arc::clone(&self.shared));
        Identity::build(Config::default(), &host).unwrap()
    }

    /// Reports all names of a uid, as a scan does.
    pub(super) fn report(&self, uid: &str, second: u64, names: &[ScannedAlias<'_>]) {
        let mut writer = self.index.writer().unwrap();
        writer.put_aliases(uid, "aws", at(second), names.iter().copied());
    }

    /// Reports an instance with an address in a network, as a scan does.
    pub(super) fn report_instance(&self, id: &str, second: u64, network: &str, ip: &str) {
        self.report(&instance(id), second, &[("ip", ip, Some(network))]);
    }

    /// Reports a DNS record and its targets, as a scan does.
    pub(super) fn report_record(&self, name: &str, second: u64, targets: &[&str]) {
        let uid = record(name);
        self.report(&uid, second, &[("dns", name, None)]);
        let mut writer = self.index.writer().unwrap();
        writer.put_targets(&uid, "aws", at(second), targets.iter().copied());
    }

    pub(super) fn delete(&self, uid: &str, second: u64) {
        self.index.writer().unwrap().delete(uid, at(second));
    }
}

/// The uid of a DNS record.
pub(super) fn record(name: &str) -> String {
    format!("arn:aws:route53:::hostedzone/Z/recordset/{name}/CNAME")
}

/// A span to process. [`call`] and [`call_from`] make client spans.
#[derive(Clone, Debug)]
pub(super) struct ClientSpan {
    pub(super) resource: Json,
    pub(super) attributes: Json,
    pub(super) kind: i64,
    pub(super) second: u64,
    pub(super) peer_uid: Option<&'static str>,
}

/// A client span of a service without other resource attributes.
pub(super) fn call(second: u64, attributes: Json) -> ClientSpan {
    ClientSpan {
        resource: json!({"service.name": "web"}),
        attributes,
        kind: 3,
        second,
        peer_uid: None,
    }
}

/// A client span of a service on an instance.
pub(super) fn call_from(id: &str, second: u64, attributes: Json) -> ClientSpan {
    let resource = json!({
        "service.name": "web", "host.id": format!("i-{id}"),
        "cloud.account.id": "42", "cloud.region": "eu-west-1",
    });
    ClientSpan {
        resource,
        ..call(second, attributes)
    }
}

/// The attributes by which a span names its server in the current semantic conventions.
pub(super) fn to(host: &str) -> Json {
    json!({"server.address": host, "server.port": 5432})
}

pub(super) fn spans(calls: &[ClientSpan]) -> Batch {
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
    rows.finish(Delivery::untracked())
}

/// The second at which batches are processed. It is after all other times in these tests.
pub(super) const NOW: u64 = 10_000;

/// The peer of each span; empty if it has none.
pub(super) fn peers(identity: &mut Identity, calls: &[ClientSpan]) -> Vec<String> {
    let made = identity.process(spans(calls), at(NOW)).unwrap();
    let peers = made.last().unwrap().text(traces::PEER_UID);
    peers
        .iter()
        .map(|uid| uid.unwrap_or("").to_owned())
        .collect()
}

/// The peer of one span.
pub(super) fn peer(cloud: &Cloud, call: ClientSpan) -> String {
    peers(&mut cloud.identity(), &[call]).remove(0)
}

pub(super) fn now() -> UnixNanos {
    at(NOW)
}
