//! Encodes the resources and scopes of rows.

use arrow_array::types::UInt32Type;
use arrow_array::{Array, BinaryViewArray, StringViewArray, UInt32Array};

use super::groups::RowGroups;
use super::writer::ReverseWriter;
use crate::Batch;
use crate::schema::otlp_context as columns;

/// The columns of [`crate::schema::otlp_context`] of a batch.
pub(super) struct ContextArrays<'a> {
    resource_attributes: &'a BinaryViewArray,
    resource_dropped: &'a UInt32Array,
    entity_refs: &'a BinaryViewArray,
    resource_schema_url: &'a StringViewArray,
    scope_name: &'a StringViewArray,
    scope_version: &'a StringViewArray,
    scope_attributes: &'a BinaryViewArray,
    scope_dropped: &'a UInt32Array,
    scope_schema_url: &'a StringViewArray,
}

impl<'a> ContextArrays<'a> {
    pub(super) fn of(batch: &'a Batch) -> ContextArrays<'a> {
        ContextArrays {
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
        }
    }

    /// Groups the rows by resource.
    pub(super) fn resources(&self) -> RowGroups {
        let mut groups = RowGroups::one(self.resource_attributes.len());
        groups.split_by_views(self.resource_attributes);
        groups.split_by_numbers(self.resource_dropped);
        groups.split_by_views(self.entity_refs);
        groups.split_by_views(self.resource_schema_url);
        groups
    }

    /// Groups the rows of each resource by scope.
    pub(super) fn scopes(&self, resources: &RowGroups) -> RowGroups {
        let mut groups = resources.clone();
        groups.split_by_views(self.scope_name);
        groups.split_by_views(self.scope_version);
        groups.split_by_views(self.scope_attributes);
        groups.split_by_numbers(self.scope_dropped);
        groups.split_by_views(self.scope_schema_url);
        groups
    }

    pub(super) fn put_resource_schema(&self, row: usize, out: &mut ReverseWriter) {
        out.text(3, self.resource_schema_url.value(row));
    }

    pub(super) fn put_resource(&self, row: usize, out: &mut ReverseWriter) {
        if self.resource_attributes.is_null(row) {
            return;
        }
        out.message(1, |out| {
            if self.entity_refs.is_valid(row) {
                out.run(3, self.entity_refs.value(row));
            }
            out.uint(2, u64::from(self.resource_dropped.value(row)));
            out.run(1, self.resource_attributes.value(row));
        });
    }

    pub(super) fn put_scope_schema(&self, row: usize, out: &mut ReverseWriter) {
        out.text(3, self.scope_schema_url.value(row));
    }

    pub(super) fn put_scope(&self, row: usize, out: &mut ReverseWriter) {
        if self.scope_name.is_null(row) {
            return;
        }
        out.message(1, |out| {
            out.uint(4, u64::from(self.scope_dropped.value(row)));
            out.run(3, self.scope_attributes.value(row));
            out.text(2, self.scope_version.value(row));
            out.text(1, self.scope_name.value(row));
        });
    }
}
