//! Which rows of a batch have the same resource.

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, BinaryViewArray, StringViewArray, UInt32Array};
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use hashbrown::HashMap;
use pipeline::Batch;
use pipeline::component::UnixNanos;
use pipeline::schema::{opening, otlp_context};

/// Rows by their resource. Rows of one resource mostly share its views, so what it says is
/// compared only where a view is met for the first time.
#[derive(Debug)]
pub(super) struct Distinct {
    pub(super) resources: Vec<Same>,
    /// For each row the place of its resource in `resources`.
    of_rows: Vec<u32>,
}

/// All rows of one resource.
#[derive(Debug)]
pub(super) struct Same {
    /// The first of them.
    pub(super) row: usize,
    /// The greatest of their times; none where no row has one.
    pub(super) newest: Option<UnixNanos>,
}

/// Attributes, entity references, name and namespace of a service.
type Views = [u128; 4];

impl Distinct {
    pub(super) fn of(batch: &Batch) -> Distinct {
        let attributes = batch.bytes(otlp_context::RESOURCE_ATTRIBUTES);
        let entities = batch.bytes(otlp_context::RESOURCE_ENTITY_REFS);
        let name = batch.text(otlp_context::SERVICE_NAME);
        let namespace = batch.text(otlp_context::SERVICE_NAMESPACE);
        let times = batch.numbers::<TimestampNanosecondType>(opening::TIME);
        let views = |row: usize| -> Views {
            // A view of nothing is 0 too, and says as little.
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
        let mut resources: Vec<Same> = Vec::new();
        let mut of_rows = Vec::with_capacity(batch.num_rows());
        let content = |row: usize| {
            (
                bytes_of(attributes, row),
                bytes_of(entities, row),
                text_of(name, row),
                text_of(namespace, row),
            )
        };
        let mut known: HashMap<Views, u32> = HashMap::new();
        let mut known_contents = HashMap::new();
        let mut last: Option<(Views, u32)> = None;
        for row in 0..batch.num_rows() {
            let own = views(row);
            let place = match last {
                Some((views, place)) if views == own => place,
                _ => *known.entry(own).or_insert_with(|| {
                    *known_contents.entry(content(row)).or_insert_with(|| {
                        resources.push(Same { row, newest: None });
                        u32::try_from(resources.len() - 1).expect("a batch has fewer rows")
                    })
                }),
            };
            last = Some((own, place));
            of_rows.push(place);
            if times.is_valid(row) {
                let time = UnixNanos(u64::try_from(times.value(row)).unwrap_or(0));
                let newest = &mut resources[place as usize].newest;
                *newest = (*newest).max(Some(time));
            }
        }
        Distinct { resources, of_rows }
    }

    /// The column `uid`: `own` has the uid of each resource; what is set already stays.
    pub(super) fn uids(&self, own: &[Option<String>], set: &StringViewArray) -> StringViewArray {
        spread(own, &self.of_rows, set)
    }

    /// The place of a row's resource.
    pub(super) fn place(&self, row: usize) -> usize {
        self.of_rows[row] as usize
    }
}

/// A column of uids: for each row the place of its own in `own`; what is set already stays. Each
/// uid is stored once.
pub(super) fn spread(
    own: &[Option<String>],
    of_rows: &[u32],
    set: &StringViewArray,
) -> StringViewArray {
    let length: usize = own.iter().flatten().map(String::len).sum();
    let block = u32::try_from(length).unwrap_or(u32::MAX).max(1);
    let mut uids = StringViewBuilder::with_capacity(own.len()).with_fixed_block_size(block);
    uids.extend(own.iter().map(Option::as_deref));
    let uids = uids.finish();
    if set.null_count() == set.len() {
        let rows = UInt32Array::from(of_rows.to_vec());
        let taken = take(&uids, &rows, None).expect("each row has its place");
        return taken.as_string_view().clone();
    }
    let places: Vec<(usize, usize)> = (of_rows.iter().enumerate())
        .map(|(row, place)| match set.is_valid(row) {
            true => (0, row),
            false => (1, *place as usize),
        })
        .collect();
    let mixed = interleave(&[set, &uids], &places).expect("both are texts of these lengths");
    mixed.as_string_view().clone()
}

/// Null reads as nothing.
pub(super) fn bytes_of(bytes: &BinaryViewArray, row: usize) -> &[u8] {
    match bytes.is_valid(row) {
        true => bytes.value(row),
        false => &[],
    }
}

pub(super) fn text_of(texts: &StringViewArray, row: usize) -> &str {
    match texts.is_valid(row) {
        true => texts.value(row),
        false => "",
    }
}
