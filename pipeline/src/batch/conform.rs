//! Converts rows of an older or newer version of a signal's schema.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, ListArray, RecordBatch, StructArray, new_null_array};
use arrow_schema::{DataType, Field, SchemaRef};

/// Selects the columns of `schema` by name. Missing nullable columns become null, and columns that the schema does not
/// have are dropped, so that processes of two versions can exchange batches.
///
/// # Errors
/// The first column that cannot be converted, and why.
pub(super) fn conform(schema: &SchemaRef, rows: &RecordBatch) -> Result<RecordBatch, String> {
    let column = |field: &Arc<Field>| column(field, rows);
    let columns: Result<Vec<ArrayRef>, String> = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(schema.clone(), columns?).map_err(|error| error.to_string())
}

fn column(field: &Field, rows: &RecordBatch) -> Result<ArrayRef, String> {
    let name = field.name();
    let Some(column) = rows.column_by_name(name) else {
        return match field.is_nullable() {
            true => Ok(new_null_array(field.data_type(), rows.num_rows())),
            false => Err(format!("column {name} is missing")),
        };
    };
    if !field.is_nullable() && column.null_count() > 0 {
        return Err(format!("column {name} has nulls"));
    }
    convert(column, field.data_type()).ok_or_else(|| {
        let (found, expected) = (column.data_type(), field.data_type());
        format!("column {name} is {found}, not {expected}")
    })
}

/// Converts values to a type that differs only in the fields of structs, including structs in lists. Returns `None` if
/// the types differ otherwise.
fn convert(values: &ArrayRef, target: &DataType) -> Option<ArrayRef> {
    match (values.data_type(), target) {
        (found, target) if found == target => Some(values.clone()),
        (DataType::List(_), DataType::List(item)) => {
            let list = values.as_list::<i32>();
            let items = convert(list.values(), item.data_type())?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            let list = ListArray::try_new(item.clone(), offsets, items, nulls).ok()?;
            Some(Arc::new(list))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let found = values.as_struct();
            let field = |field: &Arc<Field>| match found.column_by_name(field.name()) {
                Some(values) => convert(values, field.data_type()),
                None => field
                    .is_nullable()
                    .then(|| new_null_array(field.data_type(), found.len())),
            };
            let columns: Option<Vec<ArrayRef>> = fields.iter().map(field).collect();
            let nulls = found.nulls().cloned();
            let structs = StructArray::try_new(fields.clone(), columns?, nulls).ok()?;
            Some(Arc::new(structs))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use arrow_buffer::OffsetBuffer;
    use arrow_schema::{Fields, Schema};

    use super::*;

    fn list(fields: Fields, columns: Vec<ArrayRef>) -> (SchemaRef, RecordBatch) {
        let structs = StructArray::new(fields.clone(), columns, None);
        let item = Arc::new(Field::new("item", DataType::Struct(fields), false));
        let offsets = OffsetBuffer::from_lengths([structs.len()]);
        let list = ListArray::new(item, offsets, Arc::new(structs), None);
        let field = Field::new("relations", list.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field]));
        let rows = RecordBatch::try_new(schema.clone(), vec![Arc::new(list)]).unwrap();
        (schema, rows)
    }

    fn numbers(name: &str, is_nullable: bool) -> Field {
        Field::new(name, DataType::Int64, is_nullable)
    }

    #[test]
    fn structs_in_lists_may_lack_nullable_fields_and_have_unknown_ones() {
        let column = || -> ArrayRef { Arc::new(Int64Array::from(vec![1, 2])) };
        let old: Fields = vec![numbers("a", false), numbers("gone", true)].into();
        let new: Fields = vec![numbers("new", true), numbers("a", false)].into();
        let (_, rows) = list(old.clone(), vec![column(), column()]);
        let (schema, _) = list(new, vec![column(), column()]);
        let conformed = conform(&schema, &rows).unwrap();
        let structs = conformed.column(0).as_list::<i32>().value(0);
        let structs = structs.as_struct();
        assert_eq!(structs.column(0).null_count(), 2);
        assert_eq!(structs.column(1), &column());

        let (schema, _) = list(vec![numbers("b", false)].into(), vec![column()]);
        let error = conform(&schema, &rows).unwrap_err();
        assert!(error.starts_with("column relations is List"), "{error}");
    }
}
