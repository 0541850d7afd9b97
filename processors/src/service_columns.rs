//! Columns of telemetry that repeat an attribute of the resource. A processor that changes the resource updates them.

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, BinaryViewArray, StringViewArray};
use pipeline::attributes::Map;
use pipeline::batch::cells;
use pipeline::schema::otlp_context::{SERVICE_NAME, SERVICE_NAMESPACE};

/// Each column with the key of the resource attribute that it repeats.
pub(crate) const SERVICE_COLUMNS: [(&str, &str); 2] = [
    (SERVICE_NAME, "service.name"),
    (SERVICE_NAMESPACE, "service.namespace"),
];

/// Returns the column with the text of `key` in `resources`; null if the attribute is missing or not text. Returns
/// `None` if `column` has these values already.
pub(crate) fn update_from_resources(
    column: &StringViewArray,
    key: &str,
    resources: &BinaryViewArray,
) -> Option<StringViewArray> {
    let differs = resource_runs(resources, key).any(|(rows, text)| {
        let values = rows.map(|row| cells::text(column, row));
        values.into_iter().any(|value| value != text)
    });
    if !differs {
        return None;
    }
    let mut built = StringViewBuilder::with_capacity(column.len()).with_deduplicate_strings();
    for (rows, text) in resource_runs(resources, key) {
        rows.for_each(|_| built.append_option(text));
    }
    Some(built.finish())
}

/// Ranges of consecutive rows with the same resource, each with the text of its attribute `key`.
fn resource_runs<'a>(
    resources: &'a BinaryViewArray,
    key: &'a str,
) -> impl Iterator<Item = (std::ops::Range<usize>, Option<&'a str>)> {
    let mut start = 0;
    let same = |left: usize, right: usize| {
        resources.is_valid(left) == resources.is_valid(right)
            && resources.views()[left] == resources.views()[right]
    };
    std::iter::from_fn(move || {
        let first = start;
        if first == resources.len() {
            return None;
        }
        let rest = first + 1..resources.len();
        start = rest
            .into_iter()
            .find(|&row| !same(first, row))
            .unwrap_or(resources.len());
        let resource = cells::bytes(resources, first);
        let text = resource.and_then(|resource| Map::new(resource).text(key));
        Some((first..start, text))
    })
}
