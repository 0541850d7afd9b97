//! `Attributes`, the one format of all semi-structured data: OTLP's encoding, read in place.
//!
//! A value of the column type is a run of OTLP `KeyValue` messages ([`AttributesForm::Map`]) or one `AnyValue`
//! ([`AttributesForm::Value`]), as on the wire (opentelemetry/proto/common/v1/common.proto). Attributes of OTLP
//! requests are views into the bytes of the request, checked once. Attributes of other sources are encoded once by
//! [`MapBuilder`].
//!
//! A run is a sequence of length-delimited fields, each a `KeyValue`. Readers accept any field number (a span's
//! attributes have 9, a resource's 1); [`MapBuilder`] writes 1.
//!
//! Checked bytes are well-formed protobuf with valid UTF-8, and each singular field occurs at most once. On unchecked
//! bytes, readers do not panic, but may end early.

use std::collections::HashMap;

use arrow_schema::Field;

mod edit;
mod json;
mod read;
mod rows;
mod texts;
mod unordered;
mod value_text;
mod wire;
mod write;

pub use edit::{set, without};
pub use json::{map_from_json, map_to_json, to_json, value_from_json};
pub use read::{Array, Map, Value, value, value_at_index, value_bytes_of};
pub use rows::edit_rows;
pub use texts::{replace_texts, replace_texts_of_value};
pub use unordered::unordered_hash;
pub use value_text::to_text;
pub use write::{MapBuilder, encode_value};

/// The name of the Arrow extension type.
pub const EXTENSION: &str = "airdig.attributes";

/// The format of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributesForm {
    /// A run of `KeyValue` messages.
    Map,
    /// One `AnyValue`.
    Value,
}

impl AttributesForm {
    /// Reads the format from the extension metadata of a field; `None` if the field does not contain attributes.
    pub fn of(field: &Field) -> Option<AttributesForm> {
        if field.extension_type_name() != Some(EXTENSION) {
            return None;
        }
        match field.extension_type_metadata() {
            Some("map") => Some(AttributesForm::Map),
            Some("value") => Some(AttributesForm::Value),
            _ => None,
        }
    }

    /// The metadata of a field with the extension type.
    pub fn metadata(self) -> HashMap<String, String> {
        let form = match self {
            AttributesForm::Map => "map",
            AttributesForm::Value => "value",
        };
        HashMap::from([
            ("ARROW:extension:name".to_owned(), EXTENSION.to_owned()),
            ("ARROW:extension:metadata".to_owned(), form.to_owned()),
        ])
    }
}
