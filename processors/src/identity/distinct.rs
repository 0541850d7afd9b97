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

/// The distinct resources of a batch. Rows with the same resource usually have the same views in its columns, so
/// contents are compared only for the first row with a combination of views.
#[derive(Debug)]
pub(super) struct DistinctResources {
    pub(super) resources: Vec<DistinctResource>,
    /// For each row, the position of its resource in `resources`.
    positions: Vec<u32>,
}

/// One resource of the batch.
#[derive(Debug)]
pub(super) struct DistinctResource {
    pub(super) first_row: usize,
    /// The time of the newest row; `None` if no row has a time.
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
            // The view of an empty value is also 0: null and empty mean the same here.
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
        let mut by_views: HashMap<ResourceViews, u32> = HashMap::new();
        let mut by_content = HashMap::new();
        let mut last: Option<(ResourceViews, u32)> = None;
        for row in 0..batch.num_rows() {
            let row_views = views(row);
            let position = match last {
                Some((last_views, position)) if last_views == row_views => position,
                _ => *by_views.entry(row_views).or_insert_with(|| {
                    *by_content.entry(content(row)).or_insert_with(|| {
                        resources.push(DistinctResource {
                            first_row: row,
                            newest: None,
                        });
                        u32::try_from(resources.len() - 1).expect("a batch has fewer rows")
                    })
                }),
            };
            last = Some((row_views, position));
            positions.push(position);
            let newest = &mut resources[position as usize].newest;
            *newest = (*newest).max(cells::time(times, row));
        }
        DistinctResources {
            resources,
            positions,
        }
    }

    /// The column `uid`. `uids` has the uid of each resource. Values of `existing`, the column of the batch, are kept.
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

/// A column of uids. For each row, `positions` has the position of the uid in `distinct`. Values of `existing` are
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
