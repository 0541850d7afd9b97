//! `airdig schema`: lists the signals, or the columns of one.

use arrow_schema::{DataType, Field};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use pipeline::Signal;
use pipeline::schema::columns_of;

use super::plain_table;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The signal whose columns are listed.
    #[arg(value_parser = PossibleValuesParser::new(Signal::ALL.map(Signal::name))
        .try_map(|name| name.parse::<Signal>()))]
    signal: Option<Signal>,
}

/// Renders the table of signals, or of the columns of the requested one.
pub(super) fn table(arguments: &Arguments) -> String {
    match arguments.signal {
        Some(signal) => columns(signal),
        None => signals(),
    }
}

fn signals() -> String {
    let rows = Signal::ALL.map(|signal| {
        let columns = columns_of(signal);
        // All schemas begin with the same three columns.
        let names = columns
            .iter()
            .skip(3)
            .map(|column| column.field.name().as_str());
        let names: Vec<&str> = names.take(5).collect();
        let more = if columns.len() > 8 { ", …" } else { "" };
        [
            signal.to_string(),
            format!("{} columns", columns.len()),
            format!("{}{more}", names.join(", ")),
        ]
    });
    plain_table(None, rows)
}

fn columns(signal: Signal) -> String {
    let rows = columns_of(signal).into_iter().map(|column| {
        let nullable = if column.field.is_nullable() {
            "yes"
        } else {
            "no"
        };
        let type_name = type_name(&column.field);
        [
            column.field.name().clone(),
            type_name,
            nullable.to_owned(),
            column.doc,
        ]
    });
    plain_table(Some(["name", "type", "nullable", "meaning"]), rows)
}

/// The Arrow type, or the name of the Arrow extension type: `airdig.attributes (map)`.
fn type_name(field: &Field) -> String {
    let metadata = field.metadata();
    if let Some(name) = metadata.get("ARROW:extension:name") {
        return match metadata.get("ARROW:extension:metadata") {
            Some(form) => format!("{name} ({form})"),
            None => name.clone(),
        };
    }
    match field.data_type() {
        DataType::List(item) => format!("List({})", type_name(item)),
        DataType::Struct(fields) => {
            let fields = fields.iter();
            let members = fields.map(|field| format!("{}: {}", field.name(), type_name(field)));
            format!("Struct({})", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Signal;

    #[test]
    fn every_signal_and_column_is_listed() {
        let all = super::signals();
        for signal in Signal::ALL {
            assert!(all.contains(signal.name()));
        }
        let traces = super::columns(Signal::Traces);
        for expected in [
            "trace_id",
            "airdig.attributes (map)",
            "FixedSizeBinary(16)",
            "NULLABLE",
        ] {
            assert!(traces.contains(expected), "{expected}");
        }
    }

    #[test]
    fn no_meaning_contains_a_rustdoc_link() {
        for signal in Signal::ALL {
            let text = super::columns(signal);
            assert!(!text.contains("[`"), "{signal}: {text}");
        }
    }
}
