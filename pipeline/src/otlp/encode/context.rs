//! Resources and scopes of rows, and where they change.

use arrow_array::types::UInt32Type;
use arrow_array::{Array, BinaryViewArray, StringViewArray, UInt32Array};

use super::put;
use crate::Batch;
use crate::schema::otlp_context as columns;

pub(super) struct Context<'a> {
    resource_attributes: &'a BinaryViewArray,
    resource_dropped: &'a UInt32Array,
    entity_refs: &'a BinaryViewArray,
    resource_schema_url: &'a StringViewArray,
    scope_name: &'a StringViewArray,
    scope_version: &'a StringViewArray,
    scope_attributes: &'a BinaryViewArray,
    scope_dropped: &'a UInt32Array,
    scope_schema_url: &'a StringViewArray,
    rows: usize,
}

impl<'a> Context<'a> {
    pub(super) fn of(batch: &'a Batch) -> Context<'a> {
        Context {
            resource_attributes: batch.bytes(columns::RESOURCE_ATTRIBUTES),
            resource_dropped: batch
                .numbers::<UInt32Type>(columns::RESOURCE_DROPPED_ATTRIBUTES_COUNT),
            entity_refs: batch.bytes(columns::RESOURCE_ENTITY_REFS),
            resource_schema_url: batch.text(columns::RESOURCE_SCHEMA_URL),
            scope_name: batch.text(columns::SCOPE_NAME),
            scope_version: batch.text(columns::SCOPE_VERSION),
            scope_attributes: batch.bytes(columns::SCOPE_ATTRIBUTES),
            scope_dropped: batch.numbers::<UInt32Type>(columns::SCOPE_DROPPED_ATTRIBUTES_COUNT),
            scope_schema_url: batch.text(columns::SCOPE_SCHEMA_URL),
            rows: batch.num_rows(),
        }
    }

    /// The first row after `row` that has another resource.
    pub(super) fn same_resource_until(&self, row: usize) -> usize {
        let same = |other: &usize| {
            same_bytes(self.resource_attributes, row, *other)
                && self.resource_dropped.value(row) == self.resource_dropped.value(*other)
                && same_bytes(self.entity_refs, row, *other)
                && same_text(self.resource_schema_url, row, *other)
        };
        (row + 1..self.rows)
            .find(|other| !same(other))
            .unwrap_or(self.rows)
    }

    /// The first row after `row`, up to `end`, that has another scope.
    pub(super) fn same_scope_until(&self, row: usize, end: usize) -> usize {
        let same = |other: &usize| {
            same_text(self.scope_name, row, *other)
                && same_text(self.scope_version, row, *other)
                && same_bytes(self.scope_attributes, row, *other)
                && self.scope_dropped.value(row) == self.scope_dropped.value(*other)
                && same_text(self.scope_schema_url, row, *other)
        };
        (row + 1..end).find(|other| !same(other)).unwrap_or(end)
    }

    pub(super) fn put_resource(&self, row: usize, out: &mut Vec<u8>) {
        if self.resource_attributes.is_valid(row) {
            let mut resource = Vec::new();
            put::run(&mut resource, 1, self.resource_attributes.value(row));
            put::uint(
                &mut resource,
                2,
                u64::from(self.resource_dropped.value(row)),
            );
            if self.entity_refs.is_valid(row) {
                put::run(&mut resource, 3, self.entity_refs.value(row));
            }
            put::bytes(out, 1, &resource);
        }
        put::text(out, 3, self.resource_schema_url.value(row).as_bytes());
    }

    pub(super) fn put_scope(&self, row: usize, out: &mut Vec<u8>) {
        if self.scope_name.is_valid(row) {
            let mut scope = Vec::new();
            put::text(&mut scope, 1, self.scope_name.value(row).as_bytes());
            put::text(&mut scope, 2, self.scope_version.value(row).as_bytes());
            put::run(&mut scope, 3, self.scope_attributes.value(row));
            put::uint(&mut scope, 4, u64::from(self.scope_dropped.value(row)));
            put::bytes(out, 1, &scope);
        }
        put::text(out, 3, self.scope_schema_url.value(row).as_bytes());
    }
}

/// Views that are the same are of the same bytes; others are compared.
pub(super) fn same_bytes(column: &BinaryViewArray, one: usize, other: usize) -> bool {
    column.is_valid(one) == column.is_valid(other)
        && (column.views()[one] == column.views()[other]
            || column.value(one) == column.value(other))
}

pub(super) fn same_text(column: &StringViewArray, one: usize, other: usize) -> bool {
    column.is_valid(one) == column.is_valid(other)
        && (column.views()[one] == column.views()[other]
            || column.value(one) == column.value(other))
}
