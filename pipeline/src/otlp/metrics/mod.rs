//! Decodes an `ExportMetricsServiceRequest` to rows of `metrics`.

use std::ops::Range;

use bytes::Bytes;

use arrow_array::RecordBatch;

use super::check;
use super::columns::{AttributeRun, EMPTY, ViewBuffers, view};
use super::context::{ContextColumns, ResourceFields, ScopeFields};
use super::descriptors::{
    EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, MessageDescriptor, SUM, SUMMARY,
};
use super::wire::keys::{
    BYTES_1, BYTES_2, BYTES_3, BYTES_5, BYTES_7, BYTES_9, BYTES_10, BYTES_11, BYTES_12, VARINT_2,
    VARINT_3,
};
use super::wire::{Result, WireReader, number_bits};

mod columns;
mod point;
use columns::PointColumns;

/// The field numbers of the request.
const REQUEST_FIELDS: u64 = number_bits([1]);
/// For `ResourceMetrics` and `ScopeMetrics`, which have the same field numbers.
const GROUP_FIELDS: u64 = number_bits([1, 2, 3]);
const METRIC_FIELDS: u64 = number_bits([1, 2, 3, 5, 7, 9, 10, 11, 12]);
const DATA_FIELDS: u64 = number_bits([1, 2, 3]);

/// The values of the column `type`, in the order of its dictionary.
const TYPES: [&str; 5] = [
    "gauge",
    "sum",
    "histogram",
    "exponential_histogram",
    "summary",
];

/// The type of a metric. The discriminants are indexes of [`TYPES`].
#[derive(Clone, Copy, PartialEq)]
enum MetricType {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

/// The state of decoding a request.
struct MetricDecoder {
    view_buffers: ViewBuffers,
    context: ContextColumns,
    points: PointColumns,
    /// The ranges of the current metric's data. Several ranges are merged.
    data: Vec<Range<usize>>,
}

/// Decodes a request in one walk. The data of a metric is read after its other fields.
pub(super) fn decode(request: &Bytes, source: &str) -> Result<RecordBatch> {
    let mut metrics = MetricDecoder {
        view_buffers: ViewBuffers::default(),
        context: ContextColumns::new(),
        points: PointColumns::new(),
        data: Vec::new(),
    };
    let mut reader = WireReader::new(request);
    while let Some(field) = reader.next_key()? {
        match field {
            BYTES_1 => metrics.resource_metrics(reader.message()?)?,
            other => reader.skip(other, REQUEST_FIELDS)?,
        }
    }
    Ok(metrics
        .points
        .finish(metrics.view_buffers, metrics.context, request, source))
}

impl MetricDecoder {
    fn resource_metrics(&mut self, mut group: WireReader<'_>) -> Result<()> {
        let first = self.points.len();
        let mut resource = ResourceFields::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => resource.read(group.message()?)?,
                BYTES_2 => self.scope_metrics(group.message()?)?,
                BYTES_3 => resource.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP_FIELDS)?,
            }
        }
        let rows = self.points.len() - first;
        self.context
            .resource(&group, &mut self.view_buffers, &resource, rows);
        Ok(())
    }

    fn scope_metrics(&mut self, mut group: WireReader<'_>) -> Result<()> {
        let first = self.points.len();
        let mut scope = ScopeFields::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => scope.read(group.message()?)?,
                BYTES_2 => self.metric(group.message()?)?,
                BYTES_3 => scope.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP_FIELDS)?,
            }
        }
        let rows = self.points.len() - first;
        self.context
            .scope(&group, &mut self.view_buffers, &scope, rows);
        Ok(())
    }

    fn metric(&mut self, mut metric: WireReader<'_>) -> Result<()> {
        let (mut name, mut description, mut unit) = (EMPTY, EMPTY, EMPTY);
        let mut metadata = AttributeRun::default();
        let mut data_type = None;
        self.data.clear();
        loop {
            let start = metric.pos();
            let Some(field) = metric.next_key()? else {
                break;
            };
            let found = match field {
                BYTES_1 => {
                    name = metric.text().map(|range| view(&metric, range))?;
                    continue;
                }
                BYTES_2 => {
                    description = metric.text().map(|range| view(&metric, range))?;
                    continue;
                }
                BYTES_3 => {
                    unit = metric.text().map(|range| view(&metric, range))?;
                    continue;
                }
                BYTES_12 => {
                    metadata.add(&mut metric, start)?;
                    continue;
                }
                BYTES_5 => MetricType::Gauge,
                BYTES_7 => MetricType::Sum,
                BYTES_9 => MetricType::Histogram,
                BYTES_10 => MetricType::ExponentialHistogram,
                BYTES_11 => MetricType::Summary,
                other => {
                    metric.skip(other, METRIC_FIELDS)?;
                    continue;
                }
            };
            // Only the last member of a oneof is used. Several occurrences of that member are merged.
            if let Some(earlier) = data_type
                && earlier != found
            {
                self.drop_data(&metric, earlier)?;
            }
            data_type = Some(found);
            self.data.push(metric.range()?);
        }
        let Some(data_type) = data_type else {
            return Ok(());
        };
        let first = self.points.len();
        let (mut temporality, mut is_monotonic) = (0, false);
        for piece in std::mem::take(&mut self.data) {
            let mut data = metric.within(piece);
            while let Some(field) = data.next_key()? {
                match (field, data_type) {
                    (BYTES_1, _) => {
                        self.points
                            .read(data.message()?, data_type, &mut self.view_buffers)?
                    }
                    (
                        VARINT_2,
                        MetricType::Sum | MetricType::Histogram | MetricType::ExponentialHistogram,
                    ) => {
                        temporality = data.uint32()? as i32;
                    }
                    (VARINT_3, MetricType::Sum) => is_monotonic = data.varint()? != 0,
                    (other, MetricType::Sum) => data.skip(other, DATA_FIELDS)?,
                    (other, MetricType::Gauge | MetricType::Summary) => {
                        data.skip(other, number_bits([1]))?
                    }
                    (other, _) => data.skip(other, number_bits([1, 2]))?,
                }
            }
        }
        let metadata = metadata.finish(&metric, &mut self.view_buffers);
        let rows = self.points.len() - first;
        self.points.metric(
            [name, description, unit, metadata],
            data_type,
            temporality,
            is_monotonic,
            rows,
        );
        Ok(())
    }

    /// Drops an earlier member of the oneof. Rejects it if it is malformed.
    #[cold]
    fn drop_data(&mut self, metric: &WireReader<'_>, data_type: MetricType) -> Result<()> {
        for piece in self.data.drain(..) {
            check::message(metric.within(piece), data_type.message())?;
        }
        Ok(())
    }
}

impl MetricType {
    fn message(self) -> &'static MessageDescriptor {
        match self {
            MetricType::Gauge => &GAUGE,
            MetricType::Sum => &SUM,
            MetricType::Histogram => &HISTOGRAM,
            MetricType::ExponentialHistogram => &EXPONENTIAL_HISTOGRAM,
            MetricType::Summary => &SUMMARY,
        }
    }
}
