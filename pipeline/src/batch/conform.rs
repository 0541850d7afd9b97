//! Rows of another version of a signal's schema.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{Field, SchemaRef};

/// The columns of `schema`, by their names. Nullable ones that are missing are null, and those that the schema
/// does not have are left out, so that processes of two versions understand each other.
///
/// # Errors
/// The first column that cannot be made of what there is, and why.
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
    if column.data_type() != field.data_type() {
        let (found, expected) = (column.data_type(), field.data_type());
        return Err(format!("column {name} is {found}, not {expected}"));
    }
    if !field.is_nullable() && column.null_count() > 0 {
        return Err(format!("column {name} has nulls"));
    }
    Ok(column.clone())
}
