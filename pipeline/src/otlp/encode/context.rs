//! Resources and scopes of rows, and where they change.

use arrow_array::types::{ByteViewType, UInt32Type};
use arrow_array::{Array, BinaryViewArray, GenericByteViewArray, StringViewArray, UInt32Array};

use super::writer::Writer;
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
        }
    }

    /// The first of the rows that stand together up to `end` and have the same resource.
    pub(super) fn resource_start(&self, end: usize) -> usize {
        let last = end - 1;
        let same = |row: usize| {
            same_bytes(self.resource_attributes, row, last)
                && self.resource_dropped.value(row) == self.resource_dropped.value(last)
                && same_bytes(self.entity_refs, row, last)
                && same_text(self.resource_schema_url, row, last)
        };
        start_of_same(0, last, same)
    }

    /// Likewise, from `start` on, with the same scope.
    pub(super) fn scope_start(&self, start: usize, end: usize) -> usize {
        let last = end - 1;
        let same = |row: usize| {
            same_text(self.scope_name, row, last)
                && same_text(self.scope_version, row, last)
                && same_bytes(self.scope_attributes, row, last)
                && self.scope_dropped.value(row) == self.scope_dropped.value(last)
                && same_text(self.scope_schema_url, row, last)
        };
        start_of_same(start, last, same)
    }

    pub(super) fn put_resource_schema(&self, row: usize, out: &mut Writer) {
        out.text(3, self.resource_schema_url.value(row));
    }

    pub(super) fn put_resource(&self, row: usize, out: &mut Writer) {
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

    pub(super) fn put_scope_schema(&self, row: usize, out: &mut Writer) {
        out.text(3, self.scope_schema_url.value(row));
    }

    pub(super) fn put_scope(&self, row: usize, out: &mut Writer) {
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

/// The first of the rows from `start` up to `last` that, with all between, are the same as `last`.
pub(super) fn start_of_same(start: usize, last: usize, same: impl Fn(usize) -> bool) -> usize {
    let other = (start..last).rev().find(|&row| !same(row));
    other.map_or(start, |other| other + 1)
}

/// Views that are the same are of the same bytes; others are compared.
#[inline]
pub(super) fn same_bytes(column: &BinaryViewArray, one: usize, other: usize) -> bool {
    same(column, one, other)
}

#[inline]
pub(super) fn same_text(column: &StringViewArray, one: usize, other: usize) -> bool {
    same(column, one, other)
}

#[inline]
fn same<T: ByteViewType>(column: &GenericByteViewArray<T>, one: usize, other: usize) -> bool {
    let views = column.views();
    let is_same_view = views[one] == views[other];
    (is_same_view || same_value(column, one, other))
        && (column.nulls().is_none() || column.is_valid(one) == column.is_valid(other))
}

#[cold]
fn same_value<T: ByteViewType>(column: &GenericByteViewArray<T>, one: usize, other: usize) -> bool {
    let (one, other): (&[u8], &[u8]) = (column.value(one).as_ref(), column.value(other).as_ref());
    one == other
}
