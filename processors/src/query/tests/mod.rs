//! Tests of queries on batches.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use datafusion::arrow::util::display::array_value_to_string;
use pipeline::attributes::{map_from_json, value_from_json};
use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::{logs, traces};
use pipeline::{Delivery, Signal};
use serde_json::{Value as Json, json};

use super::{Query, QueryProblem};

mod getters;
mod memory;
mod problems;
mod runs;

/// Spans, each with its name and its attributes.
fn spans(rows: &[(&str, Json)]) -> RecordBatch {
    let mut built = Rows::new(Signal::Traces);
    for (name, attributes) in rows {
        let attributes = map_from_json(attributes.as_object().unwrap());
        let cells = [
            (traces::NAME, Cell::Text(name)),
            (traces::ATTRIBUTES, Cell::Bytes(&attributes)),
        ];
        built.push(Some(UnixNanos(1)), None, "test", &cells);
    }
    built.finish(Delivery::untracked()).rows().clone()
}

/// Log records, each with its body.
fn bodies(bodies: &[Json]) -> RecordBatch {
    let mut built = Rows::new(Signal::Logs);
    for body in bodies {
        let body = value_from_json(body);
        built.push(None, None, "test", &[(logs::BODY, Cell::Bytes(&body))]);
    }
    built.finish(Delivery::untracked()).rows().clone()
}

fn query(sql: &str) -> Query {
    Query::new(sql, false).unwrap_or_else(|problems| panic!("{sql}: {problems:?}"))
}

/// The rows that a query yields, each with its cells as text; a null is `-`.
fn yielded_by(sql: &str, signal: Signal, rows: RecordBatch) -> Vec<String> {
    let yielded = query(sql)
        .run(vec![(signal, vec![rows])], UnixNanos(7), None)
        .unwrap();
    yielded.iter().flat_map(texts).collect()
}

fn texts(batch: &RecordBatch) -> Vec<String> {
    let cell = |column: &ArrayRef, row| match column.is_null(row) {
        true => "-".to_owned(),
        false => array_value_to_string(column, row).unwrap(),
    };
    let line = |row| {
        let cells: Vec<String> = batch
            .columns()
            .iter()
            .map(|column| cell(column, row))
            .collect();
        cells.join(" | ")
    };
    (0..batch.num_rows()).map(line).collect()
}

/// The value of one expression on one span with these attributes.
fn of_one(expression: &str, attributes: Json) -> String {
    let sql = format!("SELECT {expression} FROM traces");
    yielded_by(&sql, Signal::Traces, spans(&[("GET /", attributes)])).remove(0)
}

fn problems(sql: &str) -> Vec<QueryProblem> {
    Query::new(sql, false).err().unwrap_or_default()
}
