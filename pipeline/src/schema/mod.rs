//! The Arrow schema of each signal.
//!
//! Every schema starts with the columns of [`opening`]. Then come the typed columns of the signal, then the
//! semi-structured ones, as [`attributes`](crate::attributes). The doc comment of a column states its unit, its source
//! and when it is null; `airdig schema SIGNAL` prints it.

use std::sync::{Arc, LazyLock};

use arrow_schema::{Field, Schema, SchemaRef};

use crate::Signal;

mod column;
use column::columns;
pub use column::{Column, types};

pub mod alerts;
pub mod aliases;
pub mod changes;
pub mod correlations;
pub mod drift;
pub mod edge_stats;
pub mod edges;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod nodes;
pub mod opening;
pub mod otlp_context;
pub mod refresh_requests;
pub mod resources;
pub mod traces;

/// The columns of a signal, in order, with their documentation.
pub fn columns_of(signal: Signal) -> Vec<Column> {
    let signal_columns = match signal {
        Signal::Traces => traces::columns(),
        Signal::Metrics => metrics::columns(),
        Signal::Logs => logs::columns(),
        Signal::Resources => resources::columns(),
        Signal::Changes => changes::columns(),
        Signal::Nodes => nodes::columns(),
        Signal::Edges => edges::columns(),
        Signal::Aliases => aliases::columns(),
        Signal::EdgeStats => edge_stats::columns(),
        Signal::Drift => drift::columns(),
        Signal::Health => health::columns(),
        Signal::Correlations => correlations::columns(),
        Signal::Alerts => alerts::columns(),
        Signal::RefreshRequests => refresh_requests::columns(),
    };
    let mut all = opening::columns();
    all.extend(signal_columns);
    if matches!(signal, Signal::Traces | Signal::Metrics | Signal::Logs) {
        all.extend(otlp_context::columns());
    }
    all
}

static SCHEMAS: LazyLock<[SchemaRef; 14]> = LazyLock::new(|| {
    Signal::ALL.map(|signal| {
        let fields: Vec<Field> = columns_of(signal)
            .into_iter()
            .map(|column| column.field)
            .collect();
        Arc::new(Schema::new(fields))
    })
});

impl Signal {
    /// The schema of every batch of this signal. Each call returns the same `Arc`.
    pub fn schema(self) -> SchemaRef {
        SCHEMAS[self as usize].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Signal, columns_of, opening};

    #[test]
    fn every_schema_starts_with_the_same_columns() {
        for signal in Signal::ALL {
            let schema = signal.schema();
            let names: Vec<_> = schema
                .fields()
                .iter()
                .take(3)
                .map(|field| field.name().as_str())
                .collect();
            assert_eq!(
                names,
                [opening::TIME, opening::UID, opening::SOURCE],
                "{signal}"
            );
        }
    }

    #[test]
    fn every_column_has_a_unique_name_and_documentation() {
        for signal in Signal::ALL {
            let columns = columns_of(signal);
            for (index, column) in columns.iter().enumerate() {
                assert!(column.doc.len() > 10, "{signal}.{}", column.field.name());
                assert!(
                    columns[..index]
                        .iter()
                        .all(|other| other.field.name() != column.field.name()),
                    "{signal}.{} twice",
                    column.field.name()
                );
            }
        }
    }
}
