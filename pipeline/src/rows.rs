//! Builds batches of any signal, row by row, with cells by column name.
//!
//! It is for rows that processors emit and that receivers scan: thousands of rows, not millions. (The OTLP decoders
//! have their own builders.)

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryViewBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder,
    Int32Builder, Int64Builder, ListBuilder, StringDictionaryBuilder, StringViewBuilder,
    StructBuilder, TimestampNanosecondBuilder, UInt32Builder, UInt64Builder, make_builder,
};
use arrow_array::types::Int32Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field};

use crate::schema::opening;
use crate::unix_nanos::UnixNanos;
use crate::{Batch, Delivery, Signal};

/// The value of one column of one row.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// Null, or the empty value of the type if the column is not nullable.
    Null,
    Time(UnixNanos),
    /// For a text or word column.
    Text(&'a str),
    /// For an attributes, bytes or id column.
    Bytes(&'a [u8]),
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    UInts(&'a [u64]),
    Floats(&'a [f64]),
    Texts(&'a [String]),
    /// For a list of structs: the fields of the first item in order, then those of the second item …
    Items(&'a [Cell<'a>]),
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Cell<'a> {
        text.map_or(Cell::Null, Cell::Text)
    }
}

/// A builder of batches of one signal.
pub struct Rows {
    signal: Signal,
    builders: Vec<Box<dyn ArrayBuilder>>,
    rows: usize,
}

impl Rows {
    /// A builder without rows.
    pub fn new(signal: Signal) -> Rows {
        let schema = signal.schema();
        let builders = schema
            .fields()
            .iter()
            .map(|field| builder_of(field))
            .collect();
        Rows {
            signal,
            builders,
            rows: 0,
        }
    }

    /// The number of rows since the last [`Rows::finish`].
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows since the last [`Rows::finish`].
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row: the columns that all signals have, then cells of other columns, in any order. Missing cells are
    /// [`Cell::Null`].
    ///
    /// # Panics
    /// Panics if the signal has no column of that name, or if a cell does not have the type of its column. That is an
    /// error of the caller, not of the data.
    pub fn push(
        &mut self,
        time: Option<UnixNanos>,
        uid: Option<&str>,
        source: &str,
        cells: &[(&str, Cell<'_>)],
    ) {
        let schema = self.signal.schema();
        for (name, _) in cells {
            assert!(
                schema.column_with_name(name).is_some(),
                "{} has no column {name}",
                self.signal
            );
        }
        for (field, builder) in schema.fields().iter().zip(&mut self.builders) {
            let cell = match field.name().as_str() {
                opening::TIME => time.map_or(Cell::Null, Cell::Time),
                opening::UID => uid.into(),
                opening::SOURCE => Cell::Text(source),
                name => cells
                    .iter()
                    .find(|(column, _)| *column == name)
                    .map_or(Cell::Null, |(_, cell)| *cell),
            };
            append(builder.as_mut(), field, cell);
        }
        self.rows += 1;
    }

    /// Returns the rows as a batch, and starts the next batch.
    pub fn finish(&mut self, delivery: Delivery) -> Batch {
        // A builder of views doubles its block size, up to 2 MiB, with each batch that it finishes. So each batch gets
        // new builders.
        let finished = std::mem::replace(self, Rows::new(self.signal));
        let columns = finished.builders.into_iter().map(|mut builder| {
            // Queues count the memory of a batch, so a batch of few rows must not keep spare capacity.
            let mut column = builder.finish();
            column.shrink_to_fit();
            column
        });
        let rows = RecordBatch::try_new(self.signal.schema(), columns.collect())
            .expect("each builder was made for its column");
        Batch::new(self.signal, rows, delivery).expect("rows have their signal's schema")
    }
}

fn builder_of(field: &Field) -> Box<dyn ArrayBuilder> {
    match field.data_type() {
        DataType::Dictionary(..) => {
            Box::new(StringDictionaryBuilder::<Int32Type>::with_capacity(0, 0, 0))
        }
        DataType::Timestamp(..) => {
            Box::new(TimestampNanosecondBuilder::with_capacity(0).with_timezone("UTC"))
        }
        DataType::List(item) => match item.data_type() {
            DataType::UInt64 => {
                Box::new(ListBuilder::new(UInt64Builder::with_capacity(0)).with_field(item.clone()))
            }
            DataType::Float64 => Box::new(
                ListBuilder::new(Float64Builder::with_capacity(0)).with_field(item.clone()),
            ),
            DataType::Utf8View => {
                Box::new(ListBuilder::new(StringViewBuilder::new()).with_field(item.clone()))
            }
            DataType::Struct(fields) => {
                let children = fields.iter().map(|child| builder_of(child)).collect();
                let item_builder = StructBuilder::new(fields.clone(), children);
                Box::new(ListBuilder::new(item_builder).with_field(Arc::clone(item)))
            }
            other => unreachable!("no column is a list of {other}"),
        },
        other => make_builder(other, 0),
    }
}

fn append(builder: &mut dyn ArrayBuilder, field: &Field, cell: Cell<'_>) {
    macro_rules! of {
        ($type:ty) => {
            builder
                .as_any_mut()
                .downcast_mut::<$type>()
                .expect("made for its column")
        };
    }
    macro_rules! scalar {
        ($type:ty, $empty:expr, $($cell:pat => $value:expr),+) => {
            match cell {
                Cell::Null if field.is_nullable() => of!($type).append_null(),
                Cell::Null => of!($type).append_value($empty),
                $($cell => of!($type).append_value($value),)+
                other => panic!("{other:?} does not fit column {}: {}", field.name(), field.data_type()),
            }
        };
    }
    match field.data_type() {
        DataType::Timestamp(..) => {
            scalar!(TimestampNanosecondBuilder, 0, Cell::Time(time) => time.timestamp())
        }
        DataType::Utf8View => scalar!(StringViewBuilder, "", Cell::Text(text) => text),
        DataType::BinaryView => scalar!(BinaryViewBuilder, b"", Cell::Bytes(bytes) => bytes),
        DataType::Dictionary(..) => {
            scalar!(StringDictionaryBuilder<Int32Type>, "", Cell::Text(text) => text);
        }
        DataType::Boolean => scalar!(BooleanBuilder, false, Cell::Bool(bool) => bool),
        DataType::Int32 => {
            scalar!(Int32Builder, 0, Cell::Int(int) => i32::try_from(int).expect("fits int32"))
        }
        DataType::Int64 => scalar!(Int64Builder, 0, Cell::Int(int) => int),
        DataType::UInt32 => {
            scalar!(UInt32Builder, 0, Cell::UInt(int) => u32::try_from(int).expect("fits uint32"))
        }
        DataType::UInt64 => scalar!(UInt64Builder, 0, Cell::UInt(int) => int),
        DataType::Float64 => scalar!(Float64Builder, 0.0, Cell::Float(float) => float),
        DataType::FixedSizeBinary(_) => match cell {
            Cell::Bytes(bytes) => {
                of!(FixedSizeBinaryBuilder)
                    .append_value(bytes)
                    .expect("an id has its column's length");
            }
            _ => of!(FixedSizeBinaryBuilder).append_null(),
        },
        DataType::List(item) => append_list(builder, field, item.data_type(), cell),
        other => unreachable!("no column is a {other}"),
    }
}

fn append_list(builder: &mut dyn ArrayBuilder, field: &Field, item: &DataType, cell: Cell<'_>) {
    macro_rules! list {
        ($items:ty, |$values:ident| $fill:block) => {{
            let list: &mut ListBuilder<$items> =
                builder.as_any_mut().downcast_mut().expect("made for its column");
            let $values = list.values();
            $fill
            list.append(!matches!(cell, Cell::Null) || !field.is_nullable());
        }};
    }
    match (item, cell) {
        (DataType::UInt64, Cell::UInts(items)) => {
            list!(UInt64Builder, |values| { values.append_slice(items) })
        }
        (DataType::UInt64, Cell::Null) => list!(UInt64Builder, |_values| {}),
        (DataType::Float64, Cell::Floats(items)) => {
            list!(Float64Builder, |values| { values.append_slice(items) })
        }
        (DataType::Float64, Cell::Null) => list!(Float64Builder, |_values| {}),
        (DataType::Utf8View, Cell::Texts(items)) => list!(StringViewBuilder, |values| {
            items.iter().for_each(|item| values.append_value(item));
        }),
        (DataType::Utf8View, Cell::Null) => list!(StringViewBuilder, |_values| {}),
        (DataType::Struct(fields), Cell::Items(cells)) => list!(StructBuilder, |values| {
            for item in cells.chunks(fields.len()) {
                let children = values.field_builders_mut().iter_mut();
                for ((cell, child), field) in item.iter().zip(children).zip(fields) {
                    append(child.as_mut(), field, *cell);
                }
                values.append(true);
            }
        }),
        (DataType::Struct(_), Cell::Null) => list!(StructBuilder, |_values| {}),
        (_, other) => panic!(
            "{other:?} does not fit column {}: {}",
            field.name(),
            field.data_type()
        ),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;

    use super::{Cell, Rows};
    use crate::schema::{metrics, nodes, resources};
    use crate::unix_nanos::UnixNanos;
    use crate::{Delivery, Signal};

    #[test]
    fn a_row_of_every_signal_can_be_built() {
        for signal in Signal::ALL {
            let mut rows = Rows::new(signal);
            rows.push(Some(UnixNanos(1)), Some("svc:////a"), "test", &[]);
            assert_eq!(rows.finish(Delivery::untracked()).num_rows(), 1, "{signal}");
            assert_eq!(rows.finish(Delivery::untracked()).num_rows(), 0, "{signal}");
        }
    }

    #[test]
    fn a_batch_of_one_row_takes_less_than_a_kibibyte() {
        for signal in Signal::ALL {
            let mut rows = Rows::new(signal);
            // Ten times: the memory of a batch does not depend on the batches before it.
            for _ in 0..10 {
                rows.push(Some(UnixNanos(1)), Some(&"long".repeat(20)), "test", &[]);
                let memory = rows.finish(Delivery::untracked()).memory();
                assert!(memory < 1024, "{signal}: {memory}");
            }
        }
    }

    #[test]
    fn cells_are_written_to_their_columns() {
        let mut rows = Rows::new(Signal::Resources);
        let relations = [("SECURED_BY", "sg"), ("PART_OF", "vpc")].map(|(kind, to)| {
            [
                Cell::Text(kind),
                Cell::Text(to),
                Cell::Float(1.0),
                Cell::Null,
            ]
        });
        rows.push(
            Some(UnixNanos(7)),
            Some("i"),
            "aws",
            &[
                (resources::OP, Cell::Text(resources::op::OBSERVED)),
                (resources::RELATIONS, Cell::Items(relations.as_flattened())),
            ],
        );
        rows.push(
            None,
            None,
            "aws",
            &[(resources::MEMBERS, Cell::UInts(&[1, 2]))],
        );
        let batch = rows.finish(Delivery::untracked());
        assert_eq!(batch.words(resources::OP).values().value(0), "observed");
        let lists = batch.column(resources::RELATIONS).as_list::<i32>();
        assert_eq!(
            lists
                .value(0)
                .as_struct()
                .column(1)
                .as_string_view()
                .value(1),
            "vpc"
        );
        assert!(lists.is_null(1));
        assert!(batch.column(resources::MEMBERS).is_null(0));
        assert!(batch.uid().is_null(1));
    }

    #[test]
    fn a_list_of_floats_is_written_to_its_column() {
        let mut rows = Rows::new(Signal::Metrics);
        let bounds = [0.5, 2.0];
        let cells = [(metrics::EXPLICIT_BOUNDS, Cell::Floats(&bounds))];
        rows.push(None, None, "test", &cells);
        let batch = rows.finish(Delivery::untracked());
        let list = batch.column(metrics::EXPLICIT_BOUNDS).as_list::<i32>();
        let values = list.value(0);
        assert_eq!(values.as_primitive::<Float64Type>().values(), &bounds);
    }

    #[test]
    #[should_panic(expected = "nodes has no column colour")]
    fn a_cell_of_an_unknown_column_panics() {
        let mut rows = Rows::new(Signal::Nodes);
        rows.push(
            None,
            None,
            "",
            &[(nodes::KIND, Cell::Null), ("colour", Cell::Null)],
        );
    }
}
