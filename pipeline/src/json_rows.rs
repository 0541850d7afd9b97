//! Converts rows to plain JSON for people: one object for each row, without nulls, with attributes as objects, ids in
//! hex, and times in RFC 3339.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, StringArray};
use arrow_schema::{DataType, Field};
use serde_json::{Map as JsonMap, Value as Json};

use crate::attributes::{self, Map};
use crate::{Batch, attributes::Value};

/// Converts each row of a batch to an object, with the columns in their order.
pub fn to_json(batch: &Batch) -> impl Iterator<Item = JsonMap<String, Json>> {
    let schema = batch.signal().schema();
    (0..batch.num_rows()).map(move |row| {
        let columns = schema.fields().iter().zip(batch.rows().columns());
        columns
            .filter(|(_, column)| column.is_valid(row))
            .map(|(field, column)| (field.name().clone(), cell(field, column.as_ref(), row)))
            .collect()
    })
}

fn cell(field: &Field, column: &dyn Array, row: usize) -> Json {
    match field.data_type() {
        DataType::Timestamp(..) => {
            time(column.as_primitive::<TimestampNanosecondType>().value(row))
        }
        DataType::Utf8View => column.as_string_view().value(row).into(),
        DataType::BinaryView => binary(field, column.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => {
            hex::encode(column.as_fixed_size_binary().value(row)).into()
        }
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float64 => attributes::to_json(Value::Double(
            column.as_primitive::<Float64Type>().value(row),
        )),
        DataType::Dictionary(..) => {
            let words = column.as_dictionary::<Int32Type>();
            let values: &StringArray = words.values().as_string();
            values.value(words.keys().value(row) as usize).into()
        }
        DataType::List(item) => {
            let items = column.as_list::<i32>().value(row);
            (0..items.len())
                .map(|index| cell(item, items.as_ref(), index))
                .collect()
        }
        DataType::Struct(fields) => {
            let members = fields.iter().zip(column.as_struct().columns());
            members
                .filter(|(_, member)| member.is_valid(row))
                .map(|(field, member)| (field.name().clone(), cell(field, member.as_ref(), row)))
                .collect()
        }
        other => unreachable!("no column is a {other}"),
    }
}

fn binary(field: &Field, bytes: &[u8]) -> Json {
    match field
        .metadata()
        .get("ARROW:extension:metadata")
        .map(String::as_str)
    {
        Some("map") => Json::Object(attributes::map_to_json(Map::new(bytes))),
        Some("value") => attributes::to_json(attributes::value(bytes)),
        _ => hex::encode(bytes).into(),
    }
}

/// The time in RFC 3339 with nanoseconds, in UTC.
fn time(nanos: i64) -> Json {
    use std::time::{Duration, UNIX_EPOCH};
    match u64::try_from(nanos) {
        Ok(nanos) => humantime::format_rfc3339_nanos(UNIX_EPOCH + Duration::from_nanos(nanos))
            .to_string()
            .into(),
        // A time before 1970 is rare. It stays a number of nanoseconds.
        Err(_) => nanos.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::to_json;
    use crate::attributes::map_from_json;
    use crate::component::UnixNanos;
    use crate::rows::{Cell, Rows};
    use crate::schema::resources;
    use crate::{Delivery, Signal};

    #[test]
    fn a_row_is_converted_without_its_nulls() {
        let tags = map_from_json(json!({"team": "shop", "n": 2}).as_object().unwrap());
        let relations = [
            Cell::Text("PART_OF"),
            Cell::Text("vpc"),
            Cell::Float(1.0),
            Cell::Bytes(&tags),
        ];
        let mut rows = Rows::new(Signal::Resources);
        let cells = [
            (resources::OP, Cell::Text("observed")),
            (resources::GROUP, Cell::Text("actual")),
            (resources::TAGS, Cell::Bytes(&tags)),
            (resources::RELATIONS, Cell::Items(&relations)),
            (resources::MEMBERS, Cell::UInts(&[7])),
        ];
        rows.push(
            Some(UnixNanos(1_544_712_660_300_000_001)),
            Some("i"),
            "aws",
            &cells,
        );
        let batch = rows.finish(Delivery::untracked());
        let objects: Vec<Json> = to_json(&batch).map(Json::Object).collect();
        assert_eq!(
            objects,
            [json!({
                "time": "2018-12-13T14:51:00.300000001Z", "uid": "i", "source": "aws", "op": "observed",
                "group": "actual", "members": [7], "tags": {"team": "shop", "n": 2},
                "relations": [{
                    "kind": "PART_OF", "uid": "vpc", "confidence": 1.0,
                    "properties": {"team": "shop", "n": 2},
                }],
            })]
        );
    }

    #[test]
    fn a_row_of_every_signal_can_be_converted() {
        for signal in Signal::ALL {
            let mut rows = Rows::new(signal);
            rows.push(None, None, "test", &[]);
            let batch = rows.finish(Delivery::untracked());
            let objects: Vec<_> = to_json(&batch).collect();
            assert_eq!(objects[0]["source"], "test", "{signal}");
        }
    }
}
