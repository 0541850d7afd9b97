//! Decodes resources and scopes. A request has one per group of rows, and every row of the group repeats it.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::UInt32Type;
use arrow_buffer::Buffer;

use super::columns::{AttributeRun, NullableColumn, ViewBuffers, bytes, numbers, texts, view};
use super::wire::keys::{BYTES_1, BYTES_2, BYTES_3, BYTES_4, VARINT_2, VARINT_4};
use super::wire::{Result, WireReader, number_bits};
use crate::attributes::Map;

const RESOURCE_FIELDS: u64 = number_bits([1, 2, 3]);
const SCOPE_FIELDS: u64 = number_bits([1, 2, 3, 4]);
const ENTITY_REF_FIELDS: u64 = number_bits([1, 2, 3, 4]);

/// The fields of a `Resource`, merged from all its occurrences in a group.
#[derive(Debug, Default)]
pub(super) struct ResourceFields {
    /// Whether the group has a resource.
    present: bool,
    attributes: AttributeRun,
    dropped: u32,
    entity_refs: AttributeRun,
    schema_url: u128,
}

impl ResourceFields {
    pub(super) fn read(&mut self, mut message: WireReader<'_>) -> Result<()> {
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
                other => message.skip(other, RESOURCE_FIELDS)?,
            }
        }
    }

    pub(super) fn read_schema_url(&mut self, group: &mut WireReader<'_>) -> Result<()> {
        let range = group.text()?;
        self.schema_url = view(group, range);
        Ok(())
    }
}

fn check_entity_ref(mut message: WireReader<'_>) -> Result<()> {
    while let Some(field) = message.next_key()? {
        match field {
            BYTES_1 | BYTES_2 | BYTES_3 | BYTES_4 => {
                message.text()?;
            }
            other => message.skip(other, ENTITY_REF_FIELDS)?,
        }
    }
    Ok(())
}

/// The fields of an `InstrumentationScope`, merged from all its occurrences in a group.
#[derive(Debug, Default)]
pub(super) struct ScopeFields {
    present: bool,
    name: u128,
    version: u128,
    attributes: AttributeRun,
    dropped: u32,
    schema_url: u128,
}

impl ScopeFields {
    pub(super) fn read(&mut self, mut message: WireReader<'_>) -> Result<()> {
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
                other => message.skip(other, SCOPE_FIELDS)?,
            }
        }
    }

    pub(super) fn read_schema_url(&mut self, group: &mut WireReader<'_>) -> Result<()> {
        let range = group.text()?;
        self.schema_url = view(group, range);
        Ok(())
    }
}

/// The columns of [`crate::schema::otlp_context`].
#[derive(Debug)]
pub(super) struct ContextColumns {
    service_name: NullableColumn<u128>,
    service_namespace: NullableColumn<u128>,
    resource_attributes: NullableColumn<u128>,
    resource_dropped: Vec<u32>,
    entity_refs: NullableColumn<u128>,
    resource_schema_url: Vec<u128>,
    scope_name: NullableColumn<u128>,
    scope_version: NullableColumn<u128>,
    scope_attributes: NullableColumn<u128>,
    scope_dropped: Vec<u32>,
    scope_schema_url: Vec<u128>,
}

impl ContextColumns {
    pub(super) fn new() -> ContextColumns {
        ContextColumns {
            service_name: NullableColumn::new(),
            service_namespace: NullableColumn::new(),
            resource_attributes: NullableColumn::new(),
            resource_dropped: Vec::new(),
            entity_refs: NullableColumn::new(),
            resource_schema_url: Vec::new(),
            scope_name: NullableColumn::new(),
            scope_version: NullableColumn::new(),
            scope_attributes: NullableColumn::new(),
            scope_dropped: Vec::new(),
            scope_schema_url: Vec::new(),
        }
    }

    /// Appends a scope for each of its `rows` rows.
    pub(super) fn scope(
        &mut self,
        reader: &WireReader<'_>,
        view_buffers: &mut ViewBuffers,
        scope: &ScopeFields,
        rows: usize,
    ) {
        let attributes = scope.attributes.finish(reader, view_buffers);
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

    /// Appends a resource for each of its `rows` rows.
    pub(super) fn resource(
        &mut self,
        reader: &WireReader<'_>,
        view_buffers: &mut ViewBuffers,
        resource: &ResourceFields,
        rows: usize,
    ) {
        let attributes = resource.attributes.finish(reader, view_buffers);
        let entity_refs = (!resource.entity_refs.is_empty())
            .then(|| resource.entity_refs.finish(reader, view_buffers));
        let (name, namespace) = resource.attributes.service(reader);
        self.service_name
            .repeat(name.map(|text| view_buffers.text(reader, text)), rows);
        self.service_namespace
            .repeat(namespace.map(|text| view_buffers.text(reader, text)), rows);
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
        let text = |mut column: NullableColumn<u128>| {
            let (views, nulls) = column.finish();
            texts(views, buffers, nulls)
        };
        let binary = |mut column: NullableColumn<u128>| {
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

impl AttributeRun {
    /// The first `service.name` and `service.namespace`, if they are text.
    fn service<'a>(&'a self, reader: &WireReader<'a>) -> (Option<&'a str>, Option<&'a str>) {
        let attributes = Map::new(self.bytes(reader));
        (
            attributes.text("service.name"),
            attributes.text("service.namespace"),
        )
    }
}

/// The first three columns of every schema: time, uid (null) and source.
pub(super) fn opening(time: ArrayRef, source: &str, rows: usize) -> Vec<ArrayRef> {
    let uid = arrow_array::StringViewArray::new_null(rows);
    vec![
        time,
        Arc::new(uid),
        super::columns::words(vec![0; rows], &[source]),
    ]
}
