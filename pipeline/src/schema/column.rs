//! The macro and the types with which a schema file declares its columns: name, type and documentation in one place.

use arrow_schema::Field;

/// A column and its documentation.
#[derive(Clone, Debug)]
pub struct Column {
    pub field: Field,
    /// The unit, the source, and the condition for null.
    pub doc: String,
}

/// Declares columns: for each column a `pub const` with its name, and a function `columns()` that lists all columns.
///
/// `=> nullable` marks a nullable column: `SPAN_ID "span_id": types::span_id() => nullable;`
macro_rules! columns {
    ($( $(#[doc = $doc:literal])+ $constant:ident $name:literal : $type:expr $(=> $null:ident)?; )+) => {
        $( $(#[doc = $doc])+ pub const $constant: &str = $name; )+

        pub(crate) fn columns() -> Vec<$crate::schema::Column> {
            vec![$(
                $crate::schema::Column {
                    field: $type.named($name, columns!(@null $($null)?)),
                    doc: [$($doc),+].concat().trim().to_owned(),
                }
            ),+]
        }
    };
    (@null) => { false };
    (@null nullable) => { true };
}
pub(crate) use columns;

/// The Arrow types that columns are made of.
pub mod types {
    use std::sync::Arc;

    use arrow_schema::{DataType, Field, Fields, TimeUnit};

    use crate::attributes;

    /// The type of a column, without a name.
    #[derive(Clone, Debug)]
    pub struct Type {
        data: DataType,
        form: Option<attributes::AttributesForm>,
    }

    impl Type {
        const fn plain(data: DataType) -> Type {
            Type { data, form: None }
        }

        /// A field of this type.
        pub fn named(self, name: &str, nullable: bool) -> Field {
            let field = Field::new(name, self.data, nullable);
            match self.form {
                Some(form) => field.with_metadata(form.metadata()),
                None => field,
            }
        }
    }

    /// Nanoseconds since 1970 in UTC.
    pub fn timestamp() -> Type {
        Type::plain(DataType::Timestamp(
            TimeUnit::Nanosecond,
            Some("UTC".into()),
        ))
    }

    /// Text with many different values.
    pub fn text() -> Type {
        Type::plain(DataType::Utf8View)
    }

    /// Text with few different values in a batch: a dictionary.
    pub fn word() -> Type {
        Type::plain(DataType::Dictionary(
            Box::new(DataType::Int32),
            Box::new(DataType::Utf8),
        ))
    }

    /// Bytes of any length.
    pub fn bytes() -> Type {
        Type::plain(DataType::BinaryView)
    }

    pub fn boolean() -> Type {
        Type::plain(DataType::Boolean)
    }

    pub fn int32() -> Type {
        Type::plain(DataType::Int32)
    }

    pub fn int64() -> Type {
        Type::plain(DataType::Int64)
    }

    pub fn uint32() -> Type {
        Type::plain(DataType::UInt32)
    }

    pub fn uint64() -> Type {
        Type::plain(DataType::UInt64)
    }

    pub fn float64() -> Type {
        Type::plain(DataType::Float64)
    }

    /// 16 bytes.
    pub fn trace_id() -> Type {
        Type::plain(DataType::FixedSizeBinary(16))
    }

    /// 8 bytes.
    pub fn span_id() -> Type {
        Type::plain(DataType::FixedSizeBinary(8))
    }

    /// A run of OTLP `KeyValue` messages, see [`attributes`].
    pub fn attributes() -> Type {
        Type {
            data: DataType::BinaryView,
            form: Some(attributes::AttributesForm::Map),
        }
    }

    /// One OTLP `AnyValue` message, see [`attributes`].
    pub fn value() -> Type {
        Type {
            data: DataType::BinaryView,
            form: Some(attributes::AttributesForm::Value),
        }
    }

    /// A list. Its items are never null.
    pub fn list(item: Type) -> Type {
        Type::plain(DataType::List(Arc::new(item.named("item", false))))
    }

    /// A list of structs with these fields.
    pub fn list_of<const N: usize>(fields: [Field; N]) -> Type {
        list(Type::plain(DataType::Struct(Fields::from_iter(fields))))
    }
}
