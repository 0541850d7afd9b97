//! Resources and scopes: what a group says once and every one of its rows repeats.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::UInt32Type;
use arrow_buffer::Buffer;

use super::columns::{Nullable, Run, Side, bytes, numbers, texts, view};
use super::wire::keys::{BYTES_1, BYTES_2, BYTES_3, BYTES_4, VARINT_2, VARINT_4};
use super::wire::{Reader, Result, known};
use crate::attributes::Map;

const RESOURCE: u64 = known([1, 2, 3]);
const SCOPE: u64 = known([1, 2, 3, 4]);
const ENTITY_REF: u64 = known([1, 2, 3, 4]);

/// A `Resource`, put together from all the fields of a group that carry it.
#[derive(Debug, Default)]
pub(super) struct Resource {
    present: bool,
    attributes: Run,
    dropped: u32,
    entity_refs: Run,
    schema_url: u128,
}

impl Resource {
    pub(super) fn read(&mut self, mut message: Reader<'_>) -> Result<()> {
        self.present = true;
        loop {
            let start = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(());
            };
            match field {
                BYTES_1 => self.attributes.add(&mut message, start)?,
                VARINT_2 => self.dropped = message.uint32()?,
                BYTES_3 => {
                    let range = message.range()?;
                    check_entity_ref(message.within(range.clone()))?;
                    self.entity_refs.append(&message, start..range.end);
                }
                other => message.skip(other, RESOURCE)?,
            }
        }
    }

    pub(super) fn read_schema_url(&mut self, group: &mut Reader<'_>) -> Result<()> {
        let range = group.text()?;
        self.schema_url = view(group, range);
        Ok(())
    }
}

fn check_entity_ref(mut message: Reader<'_>) -> Result<()> {
    while let Some(field) = message.next_key()? {
        match field {
            BYTES_1 | BYTES_2 | BYTES_3 | BYTES_4 => {
                message.text()?;
            }
            other => message.skip(other, ENTITY_REF)?,
        }
    }
    Ok(())
}

/// An `InstrumentationScope`, put together likewise.
#[derive(Debug, Default)]
pub(super) struct Scope {
    present: bool,
    name: u128,
    version: u128,
    attributes: Run,
    dropped: u32,
    schema_url: u128,
}

impl Scope {
    pub(super) fn read(&mut self, mut message: Reader<'_>) -> Result<()> {
        self.present = true;
        loop {
            let start = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(());
            };
            match field {
                BYTES_1 => {
                    let range = message.text()?;
                    self.name = view(&message, range);
                }
                BYTES_2 => {
                    let range = message.text()?;
                    self.version = view(&message, range);
                }
                BYTES_3 => self.attributes.add(&mut message, start)?,
                VARINT_4 => self.dropped = message.uint32()?,
                other => message.skip(other, SCOPE)?,
            }
        }
    }

    pub(super) fn read_schema_url(&mut self, group: &mut Reader<'_>) -> Result<()> {
        let range = group.text()?;
        self.schema_url = view(group, range);
        Ok(())
    }
}

/// The columns of [`crate::schema::otlp_context`].
#[derive(Debug)]
pub(super) struct Context {
    service_name: Nullable<u128>,
    service_namespace: Nullable<u128>,
    resource_attributes: Nullable<u128>,
    resource_dropped: Vec<u32>,
    entity_refs: Nullable<u128>,
    resource_schema_url: Vec<u128>,
    scope_name: Nullable<u128>,
    scope_version: Nullable<u128>,
    scope_attributes: Nullable<u128>,
    scope_dropped: Vec<u32>,
    scope_schema_url: Vec<u128>,
}

impl Context {
    pub(super) fn new() -> Context {
        Context {
            service_name: Nullable::new(),
            service_namespace: Nullable::new(),
            resource_attributes: Nullable::new(),
            resource_dropped: Vec::new(),
            entity_refs: Nullable::new(),
            resource_schema_url: Vec::new(),
            scope_name: Nullable::new(),
            scope_version: Nullable::new(),
            scope_attributes: Nullable::new(),
            scope_dropped: Vec::new(),
            scope_schema_url: Vec::new(),
        }
    }

    /// Repeats a scope for its rows.
    pub(super) fn scope(
        &mut self,
        reader: &Reader<'_>,
        side: &mut Side,
        scope: &Scope,
        rows: usize,
    ) {
        let attributes = scope.attributes.finish(reader, side);
        self.scope_name
            .repeat(scope.present.then_some(scope.name), rows);
        self.scope_version
            .repeat(scope.present.then_some(scope.version), rows);
        self.scope_attributes
            .repeat(scope.present.then_some(attributes), rows);
        self.scope_dropped
            .resize(self.scope_dropped.len() + rows, scope.dropped);
        self.scope_schema_url
            .resize(self.scope_schema_url.len() + rows, scope.schema_url);
    }

    /// Repeats a resource for all the rows of its scopes.
    pub(super) fn resource(
        &mut self,
        reader: &Reader<'_>,
        side: &mut Side,
        resource: &Resource,
        rows: usize,
    ) {
        let attributes = resource.attributes.finish(reader, side);
        let entity_refs =
            (!resource.entity_refs.is_empty()).then(|| resource.entity_refs.finish(reader, side));
        let (name, namespace) = resource.attributes.service(reader);
        self.service_name
            .repeat(name.map(|text| side.text(reader, text)), rows);
        self.service_namespace
            .repeat(namespace.map(|text| side.text(reader, text)), rows);
        self.resource_attributes
            .repeat(resource.present.then_some(attributes), rows);
        self.resource_dropped
            .resize(self.resource_dropped.len() + rows, resource.dropped);
        self.entity_refs.repeat(entity_refs, rows);
        self.resource_schema_url
            .resize(self.resource_schema_url.len() + rows, resource.schema_url);
    }

    /// The arrays, in the order of the schema.
    pub(super) fn finish(self, buffers: &[Buffer]) -> Vec<ArrayRef> {
        let text = |mut column: Nullable<u128>| {
            let (views, nulls) = column.finish();
            texts(views, buffers, nulls)
        };
        let binary = |mut column: Nullable<u128>| {
            let (views, nulls) = column.finish();
            bytes(views, buffers, nulls)
        };
        vec![
            text(self.service_name),
            text(self.service_namespace),
            binary(self.resource_attributes),
            numbers::<UInt32Type>(self.resource_dropped),
            binary(self.entity_refs),
            texts(self.resource_schema_url, buffers, None),
            text(self.scope_name),
            text(self.scope_version),
            binary(self.scope_attributes),
            numbers::<UInt32Type>(self.scope_dropped),
            texts(self.scope_schema_url, buffers, None),
        ]
    }
}

impl Run {
    /// The first `service.name` and `service.namespace`, where they are text.
    fn service<'a>(&'a self, reader: &Reader<'a>) -> (Option<&'a str>, Option<&'a str>) {
        let attributes = Map::new(self.bytes(reader));
        (
            attributes.text("service.name"),
            attributes.text("service.namespace"),
        )
    }
}

/// The three columns that every schema opens with: time, uid, source.
pub(super) fn opening(time: ArrayRef, source: &str, rows: usize) -> Vec<ArrayRef> {
    let uid = arrow_array::StringViewArray::new_null(rows);
    vec![
        time,
        Arc::new(uid),
        super::columns::words(vec![0; rows], &[source]),
    ]
}
