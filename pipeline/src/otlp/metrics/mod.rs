//! `ExportMetricsServiceRequest` → `metrics`.

use std::ops::Range;

use bytes::Bytes;

use arrow_array::RecordBatch;

use super::check;
use super::columns::{EMPTY, Run, Side, view};
use super::context::{Context, Resource, Scope};
use super::descriptors::{EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, Message, SUM, SUMMARY};
use super::wire::keys::{
    BYTES_1, BYTES_2, BYTES_3, BYTES_5, BYTES_7, BYTES_9, BYTES_10, BYTES_11, BYTES_12, VARINT_2,
    VARINT_3,
};
use super::wire::{Reader, Result, known};

mod columns;
mod point;
use columns::Points;

const REQUEST: u64 = known([1]);
const GROUP: u64 = known([1, 2, 3]);
const METRIC: u64 = known([1, 2, 3, 5, 7, 9, 10, 11, 12]);
const DATA: u64 = known([1, 2, 3]);

/// The values of the column `type`, in the order of its dictionary.
const TYPES: [&str; 5] = [
    "gauge",
    "sum",
    "histogram",
    "exponential_histogram",
    "summary",
];

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

struct Metrics {
    side: Side,
    context: Context,
    points: Points,
    /// Where the data of the metric at hand stands: more than once if it is to be merged.
    data: Vec<Range<usize>>,
}

/// Walks the request once (a metric's own fields twice, where its data comes in pieces).
pub(super) fn decode(request: &Bytes, source: &str) -> Result<RecordBatch> {
    let mut metrics = Metrics {
        side: Side::default(),
        context: Context::new(),
        points: Points::new(),
        data: Vec::new(),
    };
    let mut reader = Reader::new(request);
    while let Some(field) = reader.next_key()? {
        match field {
            BYTES_1 => metrics.resource_metrics(reader.message()?)?,
            other => reader.skip(other, REQUEST)?,
        }
    }
    Ok(metrics
        .points
        .finish(metrics.side, metrics.context, request, source))
}

impl Metrics {
    fn resource_metrics(&mut self, mut group: Reader<'_>) -> Result<()> {
        let first = self.points.len();
        let mut resource = Resource::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => resource.read(group.message()?)?,
                BYTES_2 => self.scope_metrics(group.message()?)?,
                BYTES_3 => resource.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP)?,
            }
        }
        let rows = self.points.len() - first;
        self.context
            .resource(&group, &mut self.side, &resource, rows);
        Ok(())
    }

    fn scope_metrics(&mut self, mut group: Reader<'_>) -> Result<()> {
        let first = self.points.len();
        let mut scope = Scope::default();
        while let Some(field) = group.next_key()? {
            match field {
                BYTES_1 => scope.read(group.message()?)?,
                BYTES_2 => self.metric(group.message()?)?,
                BYTES_3 => scope.read_schema_url(&mut group)?,
                other => group.skip(other, GROUP)?,
            }
        }
        let rows = self.points.len() - first;
        self.context.scope(&group, &mut self.side, &scope, rows);
        Ok(())
    }

    fn metric(&mut self, mut metric: Reader<'_>) -> Result<()> {
        let (mut name, mut description, mut unit) = (EMPTY, EMPTY, EMPTY);
        let mut metadata = Run::default();
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
                BYTES_5 => Type::Gauge,
                BYTES_7 => Type::Sum,
                BYTES_9 => Type::Histogram,
                BYTES_10 => Type::ExponentialHistogram,
                BYTES_11 => Type::Summary,
                other => {
                    metric.skip(other, METRIC)?;
                    continue;
                }
            };
            // Of a oneof the last member counts; the same member twice is merged.
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
                    (BYTES_1, _) => self
                        .points
                        .read(data.message()?, data_type, &mut self.side)?,
                    (VARINT_2, Type::Sum | Type::Histogram | Type::ExponentialHistogram) => {
                        temporality = data.uint32()? as i32;
                    }
                    (VARINT_3, Type::Sum) => is_monotonic = data.varint()? != 0,
                    (other, Type::Sum) => data.skip(other, DATA)?,
                    (other, Type::Gauge | Type::Summary) => data.skip(other, known([1]))?,
                    (other, _) => data.skip(other, known([1, 2]))?,
                }
            }
        }
        let metadata = metadata.finish(&metric, &mut self.side);
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

    /// Drops the earlier member of the oneof, which must be well-formed all the same.
    #[cold]
    fn drop_data(&mut self, metric: &Reader<'_>, data_type: Type) -> Result<()> {
        for piece in self.data.drain(..) {
            check::message(metric.within(piece), data_type.message())?;
        }
        Ok(())
    }
}

impl Type {
    fn message(self) -> &'static Message {
        match self {
            Type::Gauge => &GAUGE,
            Type::Sum => &SUM,
            Type::Histogram => &HISTOGRAM,
            Type::ExponentialHistogram => &EXPONENTIAL_HISTOGRAM,
            Type::Summary => &SUMMARY,
        }
    }
}
