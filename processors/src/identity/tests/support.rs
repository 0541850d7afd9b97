//! Builds telemetry for tests and reads the rows that `identity` emits.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::types::TimestampNanosecondType;
use pipeline::attributes::{Map, map_from_json, map_to_json};
use pipeline::component::{Host, Processor, UnixNanos};
use pipeline::registry::BuildProcessor;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{aliases, edges, nodes, opening, otlp_context};
use pipeline::{Batch, Delivery, Signal, SignalSet};
use prost::Message;
use serde_json::Value as Json;

use crate::identity::{Config, Identity};

const SECOND: u64 = 1_000_000_000;

pub(super) fn at(second: u64) -> UnixNanos {
    UnixNanos(1_700_000_000 * SECOND + second * SECOND)
}

pub(super) fn identity(wanted: SignalSet) -> Identity {
    let host = Host::new("identity".parse().unwrap(), wanted, Arc::default());
    Identity::build(Config::default(), &host).unwrap()
}

/// A row of telemetry. If `attributes` is null, the row has no resource.
#[derive(Clone, Debug, Default)]
pub(super) struct TelemetryRow {
    pub(super) attributes: Json,
    /// The type and the `id_keys` of each reference.
    pub(super) entity_refs: Vec<(&'static str, Vec<&'static str>)>,
    pub(super) time: Option<UnixNanos>,
    pub(super) uid: Option<&'static str>,
}

pub(super) fn row(attributes: Json) -> TelemetryRow {
    TelemetryRow {
        attributes,
        ..TelemetryRow::default()
    }
}

fn references(row: &TelemetryRow) -> Vec<u8> {
    use opentelemetry_proto::tonic::common::v1::EntityRef;
    use opentelemetry_proto::tonic::resource::v1::Resource;
    let refs = row.entity_refs.iter().map(|(name, keys)| EntityRef {
        r#type: (*name).to_owned(),
        id_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        ..EntityRef::default()
    });
    let resource = Resource {
        entity_refs: refs.collect(),
        ..Resource::default()
    };
    resource.encode_to_vec()
}

pub(super) fn batch(signal: Signal, all: &[TelemetryRow]) -> Batch {
    let mut rows = Rows::new(signal);
    for row in all {
        let attributes = row.attributes.as_object();
        let bytes = attributes.map(map_from_json).unwrap_or_default();
        let text = |key| attributes.and_then(|attributes| attributes.get(key)?.as_str());
        let refs = references(row);
        let cells = [
            (otlp_context::SERVICE_NAME, text("service.name").into()),
            (
                otlp_context::SERVICE_NAMESPACE,
                text("service.namespace").into(),
            ),
            (
                otlp_context::RESOURCE_ATTRIBUTES,
                attributes.map_or(Cell::Null, |_| Cell::Bytes(&bytes)),
            ),
            (otlp_context::RESOURCE_ENTITY_REFS, Cell::Bytes(&refs)),
        ];
        rows.push(row.time, row.uid, "otlp", &cells);
    }
    rows.finish(Delivery::untracked())
}

/// The uid that a single row gets.
pub(super) fn uid_of(row: TelemetryRow) -> Option<String> {
    let made = identity(SignalSet::NONE)
        .process(batch(Signal::Logs, &[row]), at(0))
        .unwrap();
    assert_eq!(made.len(), 1, "no component accepts emitted rows");
    let uids = made[0].uid();
    uids.is_valid(0).then(|| uids.value(0).to_owned())
}

/// The emitted rows of each signal in order, as text or JSON.
#[derive(Debug, Default, PartialEq)]
pub(super) struct EmittedRecords {
    /// Objects with uid, kind, name, provider, account, region and value.
    pub(super) nodes: Vec<Json>,
    /// `from KIND to`.
    pub(super) edges: Vec<String>,
    /// `kind=value@scope → uid`.
    pub(super) aliases: Vec<String>,
    pub(super) times: Vec<i64>,
}

impl EmittedRecords {
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }
}

fn word(batch: &Batch, column: &str, row: usize) -> Option<String> {
    let words = batch.words(column);
    let key = words
        .keys()
        .is_valid(row)
        .then(|| words.keys().value(row))?;
    Some(words.values().value(key as usize).to_owned())
}

/// Processes rows of telemetry and returns the rows that the processor emits.
pub(super) fn emitted_with(
    identity: &mut Identity,
    rows: &[TelemetryRow],
    now: UnixNanos,
) -> EmittedRecords {
    let mut made = identity.process(batch(Signal::Traces, rows), now).unwrap();
    let passed = made.pop().unwrap();
    assert_eq!(
        (passed.signal(), passed.num_rows()),
        (Signal::Traces, rows.len())
    );
    read_emitted(&made)
}

pub(super) fn read_emitted(made: &[Batch]) -> EmittedRecords {
    let mut emitted = EmittedRecords::default();
    for batch in made {
        let times = batch.numbers::<TimestampNanosecondType>(opening::TIME);
        emitted.times.extend(times.values());
        for row in 0..batch.num_rows() {
            let uid = batch.uid().value(row);
            assert_eq!(word(batch, opening::SOURCE, row).unwrap(), "identity");
            match batch.signal() {
                Signal::Nodes => {
                    assert_eq!(word(batch, nodes::OP, row).unwrap(), "observed");
                    assert_eq!(word(batch, nodes::GROUP, row).unwrap(), "telemetry");
                    let names = batch.text(nodes::NAME);
                    emitted.nodes.push(serde_json::json!({
                        "uid": uid,
                        "kind": word(batch, nodes::KIND, row),
                        "name": names.is_valid(row).then(|| names.value(row)),
                        "provider": word(batch, nodes::PROVIDER, row),
                        "account": word(batch, nodes::ACCOUNT, row),
                        "region": word(batch, nodes::REGION, row),
                        "value": map_to_json(Map::new(batch.bytes(nodes::VALUE).value(row))),
                    }));
                }
                Signal::Edges => {
                    assert_eq!(word(batch, edges::MODE, row).unwrap(), "observed");
                    let kind = word(batch, edges::KIND, row).unwrap();
                    let to = batch.text(edges::TO).value(row);
                    emitted.edges.push(format!("{uid} {kind} {to}"));
                }
                Signal::Aliases => {
                    assert_eq!(word(batch, edges::MODE, row).unwrap(), "observed");
                    let kind = word(batch, aliases::KIND, row).unwrap();
                    let value = batch.text(aliases::VALUE).value(row);
                    let scopes = batch.text(aliases::WITHIN);
                    let scope = if scopes.is_valid(row) {
                        scopes.value(row)
                    } else {
                        ""
                    };
                    emitted
                        .aliases
                        .push(format!("{kind}={value}@{scope} → {uid}"));
                }
                other => panic!("identity does not emit {other}"),
            }
        }
    }
    emitted
}
