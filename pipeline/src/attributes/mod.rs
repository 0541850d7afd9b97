//! `Attributes`: the one form of all that is semi-structured.
//!
//! A value of the column type is a run of OTLP `KeyValue` messages ([`Form::Map`]) or one
//! `AnyValue` ([`Form::Value`]), as on the wire (opentelemetry/proto/common/v1/common.proto).
//! Attributes that came by OTLP are views into the request's own bytes, checked once; JSON is
//! encoded into it once by [`MapBuilder`].
//!
//! A run is a sequence of length-delimited fields, each a `KeyValue`. Readers accept any field
//! number (a span's attributes have 9, a resource's 1); what is built here has 1.
//!
//! Checked bytes are well-formed protobuf of valid UTF-8, with each singular field at most once.
//! On other bytes readers do not panic, they end early.

use std::collections::HashMap;

use arrow_schema::Field;

mod edit;
mod json;
mod read;
mod rows;
mod texts;
mod unordered;
mod wire;
mod write;

pub use edit::{set, without};
pub use json::{map_from_json, map_to_json, to_json, value_from_json};
pub use read::{Array, Map, Value, value, value_at_index, value_bytes_of};
pub use rows::edit_rows;
pub use texts::{replace_texts, replace_texts_of_value};
pub use unordered::unordered_hash;
pub use write::{MapBuilder, encode_value};

/// Name of the Arrow extension type.
pub const EXTENSION: &str = "airdig.attributes";

/// Which of the two a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Map,
    Value,
}

impl Form {
    /// What a field's extension metadata says; none of a field that holds no attributes.
    pub fn of(field: &Field) -> Option<Form> {
        if field.extension_type_name() != Some(EXTENSION) {
            return None;
        }
        match field.extension_type_metadata() {
            Some("map") => Some(Form::Map),
            Some("value") => Some(Form::Value),
            _ => None,
        }
    }

    /// The extension type's metadata of a field.
    pub fn metadata(self) -> HashMap<String, String> {
        let form = match self {
            Form::Map => "map",
            Form::Value => "value",
        };
        HashMap::from([
            ("ARROW:extension:name".to_owned(), EXTENSION.to_owned()),
            ("ARROW:extension:metadata".to_owned(), form.to_owned()),
        ])
    }
}
