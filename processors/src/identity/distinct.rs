//! Finds the distinct resources of a batch.

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, StringViewArray, UInt32Array};
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use hashbrown::HashMap;
use pipeline::Batch;
use pipeline::batch::cells;
use pipeline::component::UnixNanos;
use pipeline::schema::{opening, otlp_context};

/// The distinct resources of a batch. Rows of one resource mostly share the views of its columns, so contents are
/// compared only when a view occurs for the first time.
#[derive(Debug)]
pub(super) struct DistinctResources {
    pub(super) resources: Vec<DistinctResource>,
    /// For each row, the position of its resource in `resources`.
    positions: Vec<u32>,
}

/// A resource that rows of the batch have.
#[derive(Debug)]
pub(super) struct DistinctResource {
    pub(super) first_row: usize,
    /// The greatest time of its rows; none if no row has a time.
    pub(super) newest: Option<UnixNanos>,
}

/// The views of a row's columns: resource attributes, entity references, service name, service namespace.
type ResourceViews = [u128; 4];

impl DistinctResources {
    /// Compares the resources of all rows of a batch of telemetry.
    pub(super) fn of(batch: &Batch) -> DistinctResources {
        let attributes = batch.bytes(otlp_context::RESOURCE_ATTRIBUTES);
        let entities = batch.bytes(otlp_context::RESOURCE_ENTITY_REFS);
        let name = batch.text(otlp_context::SERVICE_NAME);
        let namespace = batch.text(otlp_context::SERVICE_NAMESPACE);
        let times = batch.numbers(opening::TIME);
        let views = |row: usize| -> ResourceViews {
            // The view of an empty value is 0 as well; here, null and empty mean the same.
            let view = |array: &dyn Array, views: &[u128]| {
                if array.is_null(row) { 0 } else { views[row] }
            };
            [
                view(attributes, attributes.views()),
                view(entities, entities.views()),
                view(name, name.views()),
                view(namespace, namespace.views()),
            ]
        };
        let mut resources: Vec<DistinctResource> = Vec::new();
        let mut positions = Vec::with_capacity(batch.num_rows());
        let content = |row: usize| {
            (
                cells::bytes(attributes, row).unwrap_or_default(),
                cells::bytes(entities, row).unwrap_or_default(),
                cells::text(name, row).unwrap_or_default(),
                cells::text(namespace, row).unwrap_or_default(),
            )
        };
        let mut known: HashMap<ResourceViews, u32> = HashMap::new();
        let mut known_contents = HashMap::new();
        let mut last: Option<(ResourceViews, u32)> = None;
        for row in 0..batch.num_rows() {
            let own = views(row);
            let position = match last {
                Some((views, position)) if views == own => position,
                _ => *known.entry(own).or_insert_with(|| {
                    *known_contents.entry(content(row)).or_insert_with(|| {
                        resources.push(DistinctResource {
                            first_row: row,
                            newest: None,
                        });
                        u32::try_from(resources.len() - 1).expect("a batch has fewer rows")
                    })
                }),
            };
            last = Some((own, position));
            positions.push(position);
            let newest = &mut resources[position as usize].newest;
            *newest = (*newest).max(cells::time(times, row));
        }
        DistinctResources {
            resources,
            positions,
        }
    }

    /// The column `uid`. `uids` has the uid of each resource; values of `existing`, the present column, are kept.
    pub(super) fn uid_column(
        &self,
        uids: &[Option<String>],
        existing: &StringViewArray,
    ) -> StringViewArray {
        fill_uids(uids, &self.positions, existing)
    }

    /// The position of a row's resource in `resources`.
    pub(super) fn position(&self, row: usize) -> usize {
        self.positions[row] as usize
    }
}

/// A column of uids: for each row, `positions` has the position of its uid in `distinct`. Values of `existing` are
/// kept. The column stores each uid once.
pub(super) fn fill_uids(
    distinct: &[Option<String>],
    positions: &[u32],
    existing: &StringViewArray,
) -> StringViewArray {
    let length: usize = distinct.iter().flatten().map(String::len).sum();
    let block = u32::try_from(length).unwrap_or(u32::MAX).max(1);
    let mut uids = StringViewBuilder::with_capacity(distinct.len()).with_fixed_block_size(block);
    uids.extend(distinct.iter().map(Option::as_deref));
    let uids = uids.finish();
    if existing.null_count() == existing.len() {
        let rows = UInt32Array::from(positions.to_vec());
        let taken = take(&uids, &rows, None).expect("each row has the position of a uid");
        return taken.as_string_view().clone();
    }
    let sources: Vec<(usize, usize)> = (positions.iter().enumerate())
        .map(|(row, position)| match existing.is_valid(row) {
            true => (0, row),
            false => (1, *position as usize),
        })
        .collect();
    let mixed = interleave(&[existing, &uids], &sources).expect("both are texts of these lengths");
    mixed.as_string_view().clone()
}
