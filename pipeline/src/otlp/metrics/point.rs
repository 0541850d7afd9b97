//! Data points, all five types, and their exemplars.

use super::super::columns::{Run, Side};
use super::super::wire::keys::{
    BYTES_1, BYTES_2, BYTES_4, BYTES_5, BYTES_6, BYTES_7, BYTES_8, BYTES_9, BYTES_11, FIXED64_1,
    FIXED64_2, FIXED64_3, FIXED64_4, FIXED64_5, FIXED64_6, FIXED64_7, FIXED64_11, FIXED64_12,
    FIXED64_13, FIXED64_14, VARINT_1, VARINT_2, VARINT_6, VARINT_8, VARINT_10,
};
use super::super::wire::{Reader, Result, known};
use super::Type;
use super::columns::{Exemplars, Points};

/// What may be said once of a point, of any type.
#[derive(Default)]
pub(super) struct Point {
    pub(super) start: u64,
    pub(super) time: u64,
    pub(super) flags: u32,
    pub(super) double: Option<f64>,
    pub(super) int: Option<i64>,
    pub(super) count: Option<u64>,
    pub(super) sum: Option<f64>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) scale: Option<i32>,
    pub(super) zero_count: Option<u64>,
    pub(super) zero_threshold: Option<f64>,
    pub(super) positive_offset: Option<i32>,
    pub(super) negative_offset: Option<i32>,
}

const NUMBER: u64 = known([2, 3, 4, 5, 6, 7, 8]);
const HISTOGRAM: u64 = known([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
const EXPONENTIAL: u64 = known([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
const SUMMARY: u64 = known([2, 3, 4, 5, 6, 7, 8]);
const BUCKETS: u64 = known([1, 2]);
const QUANTILE: u64 = known([1, 2]);
const EXEMPLAR: u64 = known([2, 3, 4, 5, 6, 7]);

impl Points {
    pub(super) fn read(
        &mut self,
        message: Reader<'_>,
        data_type: Type,
        side: &mut Side,
    ) -> Result<()> {
        let mut attributes = Run::default();
        let point = match data_type {
            Type::Gauge | Type::Sum => self.number(message, &mut attributes, side),
            Type::Histogram => self.histogram(message, &mut attributes, side),
            Type::ExponentialHistogram => self.exponential(message, &mut attributes, side),
            Type::Summary => self.summary(message, &mut attributes),
        }?;
        let attributes = attributes.finish(&message, side);
        self.push(&point, attributes, data_type);
        Ok(())
    }

    fn number(
        &mut self,
        mut message: Reader<'_>,
        attributes: &mut Run,
        side: &mut Side,
    ) -> Result<Point> {
        let mut point = Point::default();
        loop {
            let at = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => (point.double, point.int) = (Some(message.double()?), None),
                BYTES_5 => self.exemplars.read(message.message()?, side)?,
                FIXED64_6 => (point.double, point.int) = (None, Some(message.fixed64()? as i64)),
                BYTES_7 => attributes.add(&mut message, at)?,
                VARINT_8 => point.flags = message.uint32()?,
                other => message.skip(other, NUMBER)?,
            }
        }
    }

    fn histogram(
        &mut self,
        mut message: Reader<'_>,
        attributes: &mut Run,
        side: &mut Side,
    ) -> Result<Point> {
        let mut point = Point {
            count: Some(0),
            ..Point::default()
        };
        loop {
            let at = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => point.count = Some(message.fixed64()?),
                FIXED64_5 => point.sum = Some(message.double()?),
                FIXED64_6 => self.bucket_counts.values.push(message.fixed64()?),
                BYTES_6 => packed(message.message()?, |items| {
                    self.bucket_counts.values.push(items.fixed64()?);
                    Ok(())
                })?,
                FIXED64_7 => self.explicit_bounds.values.push(message.double()?),
                BYTES_7 => packed(message.message()?, |items| {
                    self.explicit_bounds.values.push(items.double()?);
                    Ok(())
                })?,
                BYTES_8 => self.exemplars.read(message.message()?, side)?,
                BYTES_9 => attributes.add(&mut message, at)?,
                VARINT_10 => point.flags = message.uint32()?,
                FIXED64_11 => point.min = Some(message.double()?),
                FIXED64_12 => point.max = Some(message.double()?),
                other => message.skip(other, HISTOGRAM)?,
            }
        }
    }

    fn exponential(
        &mut self,
        mut message: Reader<'_>,
        attributes: &mut Run,
        side: &mut Side,
    ) -> Result<Point> {
        let mut point = Point {
            count: Some(0),
            scale: Some(0),
            zero_count: Some(0),
            zero_threshold: Some(0.0),
            ..Point::default()
        };
        loop {
            let at = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                BYTES_1 => attributes.add(&mut message, at)?,
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => point.count = Some(message.fixed64()?),
                FIXED64_5 => point.sum = Some(message.double()?),
                VARINT_6 => point.scale = Some(message.sint32()?),
                FIXED64_7 => point.zero_count = Some(message.fixed64()?),
                BYTES_8 => buckets(
                    message.message()?,
                    point.positive_offset.get_or_insert(0),
                    &mut self.positive_counts.values,
                )?,
                BYTES_9 => buckets(
                    message.message()?,
                    point.negative_offset.get_or_insert(0),
                    &mut self.negative_counts.values,
                )?,
                VARINT_10 => point.flags = message.uint32()?,
                BYTES_11 => self.exemplars.read(message.message()?, side)?,
                FIXED64_12 => point.min = Some(message.double()?),
                FIXED64_13 => point.max = Some(message.double()?),
                FIXED64_14 => point.zero_threshold = Some(message.double()?),
                other => message.skip(other, EXPONENTIAL)?,
            }
        }
    }

    fn summary(&mut self, mut message: Reader<'_>, attributes: &mut Run) -> Result<Point> {
        let mut point = Point {
            count: Some(0),
            sum: Some(0.0),
            ..Point::default()
        };
        loop {
            let at = message.pos();
            let Some(field) = message.next_key()? else {
                return Ok(point);
            };
            match field {
                FIXED64_2 => point.start = message.fixed64()?,
                FIXED64_3 => point.time = message.fixed64()?,
                FIXED64_4 => point.count = Some(message.fixed64()?),
                FIXED64_5 => point.sum = Some(message.double()?),
                BYTES_6 => self.quantile(message.message()?)?,
                BYTES_7 => attributes.add(&mut message, at)?,
                VARINT_8 => point.flags = message.uint32()?,
                other => message.skip(other, SUMMARY)?,
            }
        }
    }

    fn quantile(&mut self, mut message: Reader<'_>) -> Result<()> {
        let (mut quantile, mut value) = (0.0, 0.0);
        while let Some(field) = message.next_key()? {
            match field {
                FIXED64_1 => quantile = message.double()?,
                FIXED64_2 => value = message.double()?,
                other => message.skip(other, QUANTILE)?,
            }
        }
        self.quantiles.values.push((quantile, value));
        Ok(())
    }
}

/// The items of a packed field.
fn packed(
    mut items: Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<()>,
) -> Result<()> {
    while !items.is_empty() {
        read(&mut items)?;
    }
    Ok(())
}

fn buckets(mut message: Reader<'_>, offset: &mut i32, counts: &mut Vec<u64>) -> Result<()> {
    while let Some(field) = message.next_key()? {
        match field {
            VARINT_1 => *offset = message.sint32()?,
            VARINT_2 => counts.push(message.varint()?),
            BYTES_2 => packed(message.message()?, |items| {
                counts.push(items.varint()?);
                Ok(())
            })?,
            other => message.skip(other, BUCKETS)?,
        }
    }
    Ok(())
}

impl Exemplars {
    fn read(&mut self, mut message: Reader<'_>, side: &mut Side) -> Result<()> {
        let (mut time, mut double, mut int) = (0, None, None);
        let (mut span_id, mut trace_id) = (None, None);
        let mut attributes = Run::default();
        loop {
            let at = message.pos();
            let Some(field) = message.next_key()? else {
                break;
            };
            match field {
                FIXED64_2 => time = message.fixed64()?,
                FIXED64_3 => (double, int) = (Some(message.double()?), None),
                BYTES_4 => span_id = message.id(8, "span id of an exemplar")?,
                BYTES_5 => trace_id = message.id(16, "trace id of an exemplar")?,
                FIXED64_6 => (double, int) = (None, Some(message.fixed64()? as i64)),
                BYTES_7 => attributes.add(&mut message, at)?,
                other => message.skip(other, EXEMPLAR)?,
            }
        }
        self.attributes.push(attributes.finish(&message, side));
        self.time.push(time);
        self.double.push(double);
        self.int.push(int);
        self.span_id.push(span_id);
        self.trace_id.push(trace_id);
        Ok(())
    }
}
