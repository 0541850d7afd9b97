//! Decodes data points of all five types, and their exemplars.

use super::MetricType;
use super::columns::{ExemplarColumns, PointColumns, PointFields};
use crate::otlp::columns::{AttributeRun, ViewBuffers};
use crate::otlp::wire::keys::{
    BYTES_1, BYTES_2, BYTES_4, BYTES_5, BYTES_6, BYTES_7, BYTES_8, BYTES_9, BYTES_11, FIXED64_1,
    FIXED64_2, FIXED64_3, FIXED64_4, FIXED64_5, FIXED64_6, FIXED64_7, FIXED64_11, FIXED64_12,
    FIXED64_13, FIXED64_14, VARINT_1, VARINT_2, VARINT_6, VARINT_8, VARINT_10,
};
use crate::otlp::wire::{Result, WireReader, number_bits};

const NUMBER_FIELDS: u64 = number_bits([2, 3, 4, 5, 6, 7, 8]);
const HISTOGRAM_FIELDS: u64 = number_bits([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
const EXPONENTIAL_FIELDS: u64 = number_bits([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
const SUMMARY_FIELDS: u64 = number_bits([2, 3, 4, 5, 6, 7, 8]);
const BUCKETS_FIELDS: u64 = number_bits([1, 2]);
const QUANTILE_FIELDS: u64 = number_bits([1, 2]);
const EXEMPLAR_FIELDS: u64 = number_bits([2, 3, 4, 5, 6, 7]);

impl PointColumns {
    /// Decodes a point and appends its row.
    pub(super) fn read(
        &mut self,
        message: WireReader<'_>,
        data_type: MetricType,
        view_buffers: &mut ViewBuffers,
    ) -> Result<()> {
        let mut attributes = AttributeRun::default();
        let point = match data_type {
            MetricType::Gauge | MetricType::Sum => {
                self.number(message, &mut attributes, view_buffers)
            }
            MetricType::Histogram => self.histogram(message, &mut attributes, view_buffers),
            MetricType::ExponentialHistogram => {
                self.exponential(message, &mut attributes, view_buffers)
            }
            MetricType::Summary => self.summary(message, &mut attributes),
        }?;
        let attributes = attributes.finish(&message, view_buffers);
        self.push(&point, attributes, data_type);
        Ok(())
    }

    fn number(
        &mut self,
        mut message: WireReader<'_>,
        attributes: &mut AttributeRun,
        view_buffers: &mut ViewBuffers,
    ) -> Result<PointFields> {
        let mut point = PointFields::default();
        loop {
            let start = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => (point.double, point.int) = (Some(message.double()?), None),
                BYTES_5 => self.exemplars.read(message.message()?, view_buffers)?,
                FIXED64_6 => (point.double, point.int) = (None, Some(message.fixed64()? as i64)),
                BYTES_7 => attributes.add(&mut message, start)?,
                VARINT_8 => point.flags = message.uint32()?,
                other => message.skip(other, NUMBER_FIELDS)?,
            }
        }
    }

    fn histogram(
        &mut self,
        mut message: WireReader<'_>,
        attributes: &mut AttributeRun,
        view_buffers: &mut ViewBuffers,
    ) -> Result<PointFields> {
        let mut point = PointFields {
            count: Some(0),
            ..PointFields::default()
        };
        loop {
            let start = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => point.count = Some(message.fixed64()?),
                FIXED64_5 => point.sum = Some(message.double()?),
                FIXED64_6 => self.bucket_counts.values.push(message.fixed64()?),
                BYTES_6 => read_packed(message.message()?, |items| {
                    self.bucket_counts.values.push(items.fixed64()?);
                    Ok(())
                })?,
                FIXED64_7 => self.explicit_bounds.values.push(message.double()?),
                BYTES_7 => read_packed(message.message()?, |items| {
                    self.explicit_bounds.values.push(items.double()?);
                    Ok(())
                })?,
                BYTES_8 => self.exemplars.read(message.message()?, view_buffers)?,
                BYTES_9 => attributes.add(&mut message, start)?,
                VARINT_10 => point.flags = message.uint32()?,
                FIXED64_11 => point.min = Some(message.double()?),
                FIXED64_12 => point.max = Some(message.double()?),
                other => message.skip(other, HISTOGRAM_FIELDS)?,
            }
        }
    }

    fn exponential(
        &mut self,
        mut message: WireReader<'_>,
        attributes: &mut AttributeRun,
        view_buffers: &mut ViewBuffers,
    ) -> Result<PointFields> {
        let mut point = PointFields {
            count: Some(0),
            scale: Some(0),
            zero_count: Some(0),
            zero_threshold: Some(0.0),
            ..PointFields::default()
        };
        loop {
            let start = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                BYTES_1 => attributes.add(&mut message, start)?,
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => point.count = Some(message.fixed64()?),
                FIXED64_5 => point.sum = Some(message.double()?),
                VARINT_6 => point.scale = Some(message.sint32()?),
                FIXED64_7 => point.zero_count = Some(message.fixed64()?),
                BYTES_8 => read_buckets(
                    message.message()?,
                    point.positive_offset.get_or_insert(0),
                    &mut self.positive_counts.values,
                )?,
                BYTES_9 => read_buckets(
                    message.message()?,
                    point.negative_offset.get_or_insert(0),
                    &mut self.negative_counts.values,
                )?,
                VARINT_10 => point.flags = message.uint32()?,
                BYTES_11 => self.exemplars.read(message.message()?, view_buffers)?,
                FIXED64_12 => point.min = Some(message.double()?),
                FIXED64_13 => point.max = Some(message.double()?),
                FIXED64_14 => point.zero_threshold = Some(message.double()?),
                other => message.skip(other, EXPONENTIAL_FIELDS)?,
            }
        }
    }

    fn summary(
        &mut self,
        mut message: WireReader<'_>,
        attributes: &mut AttributeRun,
    ) -> Result<PointFields> {
        let mut point = PointFields {
            count: Some(0),
            sum: Some(0.0),
            ..PointFields::default()
        };
        loop {
            let start = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => point.count = Some(message.fixed64()?),
                FIXED64_5 => point.sum = Some(message.double()?),
                BYTES_6 => self.quantile(message.message()?)?,
                BYTES_7 => attributes.add(&mut message, start)?,
                VARINT_8 => point.flags = message.uint32()?,
                other => message.skip(other, SUMMARY_FIELDS)?,
            }
        }
    }

    fn quantile(&mut self, mut message: WireReader<'_>) -> Result<()> {
        let (mut quantile, mut value) = (0.0, 0.0);
        while let Some(field) = message.next_key()? {
            match field {
                FIXED64_1 => quantile = message.double()?,
                FIXED64_2 => value = message.double()?,
                other => message.skip(other, QUANTILE_FIELDS)?,
            }
        }
        self.quantiles.values.push((quantile, value));
        Ok(())
    }
}

/// Reads the items of a packed field.
fn read_packed(
    mut items: WireReader<'_>,
    mut read: impl FnMut(&mut WireReader<'_>) -> Result<()>,
) -> Result<()> {
    while !items.is_empty() {
        read(&mut items)?;
    }
    Ok(())
}

/// Decodes the buckets of an exponential histogram.
fn read_buckets(
    mut message: WireReader<'_>,
    offset: &mut i32,
    counts: &mut Vec<u64>,
) -> Result<()> {
    while let Some(field) = message.next_key()? {
        match field {
            VARINT_1 => *offset = message.sint32()?,
            VARINT_2 => counts.push(message.varint()?),
            BYTES_2 => read_packed(message.message()?, |items| {
                counts.push(items.varint()?);
                Ok(())
            })?,
            other => message.skip(other, BUCKETS_FIELDS)?,
        }
    }
    Ok(())
}

impl ExemplarColumns {
    fn read(&mut self, mut message: WireReader<'_>, view_buffers: &mut ViewBuffers) -> Result<()> {
        let (mut time, mut double, mut int) = (0, None, None);
        let (mut span_id, mut trace_id) = (None, None);
        let mut attributes = AttributeRun::default();
        loop {
            let start = message.pos();
            let Some(field) = message.next_key()? else {
                break;
            };
            match field {
                FIXED64_2 => time = message.fixed64()?,
                FIXED64_3 => (double, int) = (Some(message.double()?), None),
                BYTES_4 => span_id = message.id(8, "span id of an exemplar")?,
                BYTES_5 => trace_id = message.id(16, "trace id of an exemplar")?,
                FIXED64_6 => (double, int) = (None, Some(message.fixed64()? as i64)),
                BYTES_7 => attributes.add(&mut message, start)?,
                other => message.skip(other, EXEMPLAR_FIELDS)?,
            }
        }
        self.attributes
            .push(attributes.finish(&message, view_buffers));
        self.time.push(time);
        self.double.push(double);
        self.int.push(int);
        self.span_id.push(span_id);
        self.trace_id.push(trace_id);
        Ok(())
    }
}
