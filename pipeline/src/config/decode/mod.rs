//! Decodes a node into a typed value, with serde.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::node::{MapEntry, Scalar, Value, YamlNode};
use super::position::{Problem, SourcePosition};
use super::scalar::TypedScalar;
use super::scrub::scrub;

/// A node that is not a valid value of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlDecodeError {
    position: Option<SourcePosition>,
    message: String,
}

impl YamlDecodeError {
    /// The position of the innermost node with the error.
    pub fn position(&self) -> Option<&SourcePosition> {
        self.position.as_ref()
    }

    /// The message without the position and without values of environment variables.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Converts it to a problem at its position, or at `otherwise` if it has none.
    pub(crate) fn problem(self, otherwise: &SourcePosition) -> Problem {
        Problem::new(self.position.as_ref().unwrap_or(otherwise), self.message)
    }

    /// Adds the position of the node if the error has none. Errors pass from inner to outer nodes, so the position
    /// is that of the innermost node.
    fn at(mut self, node: &YamlNode) -> YamlDecodeError {
        if self.position.is_none() {
            self.position = Some(node.position.clone());
        }
        self
    }
}

impl fmt::Display for YamlDecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.position {
            Some(position) => write!(f, "{position}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for YamlDecodeError {}

impl serde::de::Error for YamlDecodeError {
    fn custom<T: fmt::Display>(message: T) -> YamlDecodeError {
        YamlDecodeError {
            position: None,
            message: message.to_string(),
        }
    }
}

impl YamlNode {
    /// Decodes the node into a typed value. An empty value (`otlp:`) decodes as an empty map; a field of type
    /// `String` keeps the text of any scalar (`0123`).
    ///
    /// # Errors
    /// The first mismatch, with the position of the innermost node.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, YamlDecodeError> {
        T::deserialize(self).map_err(|error| {
            let error = error.at(self);
            YamlDecodeError {
                position: error.position,
                message: scrub(self, error.message),
            }
        })
    }

    fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    fn unexpected(&self, expected: &str) -> YamlDecodeError {
        YamlDecodeError::custom(format!("expected {expected}, found {}", self.describe())).at(self)
    }

    fn visit<'de, V: Visitor<'de>>(&'de self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        match &self.value {
            Value::Scalar(scalar) => match scalar.typed() {
                TypedScalar::Null => visitor.visit_unit(),
                TypedScalar::Bool(value) => visitor.visit_bool(value),
                TypedScalar::Int(value) => visit_int(value, visitor),
                TypedScalar::Float(value) => visitor.visit_f64(value),
                TypedScalar::Text(text) => visitor.visit_borrowed_str(text),
            },
            Value::List(items) => visitor.visit_seq(ListItems(items.iter())),
            Value::Map(entries) => visitor.visit_map(MapEntries {
                rest: entries.iter(),
                value: None,
            }),
            Value::Invalid => Err(YamlDecodeError::custom("no value")),
        }
    }
}

fn visit_int<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, YamlDecodeError> {
    if let Ok(value) = u64::try_from(value) {
        return visitor.visit_u64(value);
    }
    match i64::try_from(value) {
        Ok(value) => visitor.visit_i64(value),
        Err(_) => visitor.visit_i128(value),
    }
}

macro_rules! numbers {
    ($($method:ident)+) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
            match self.scalar().map(Scalar::typed) {
                Some(TypedScalar::Int(value)) => visit_int(value, visitor),
                Some(TypedScalar::Float(value)) => visitor.visit_f64(value),
                _ => return Err(self.unexpected("a number")),
            }
            .map_err(|error| error.at(self))
        }
    )+ };
}

impl<'de> Deserializer<'de> for &'de YamlNode {
    type Error = YamlDecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        self.visit(visitor).map_err(|error| error.at(self))
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        match self.scalar().map(Scalar::typed) {
            Some(TypedScalar::Bool(value)) => visitor.visit_bool(value),
            _ => Err(self.unexpected("true or false")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        match self.scalar() {
            Some(scalar) if scalar.typed() != TypedScalar::Null => visitor
                .visit_borrowed_str(&scalar.text)
                .map_err(|error: YamlDecodeError| error.at(self)),
            _ => Err(self.unexpected("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        if self.is_null() {
            return visitor.visit_none();
        }
        visitor.visit_some(self).map_err(|error| error.at(self))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|error| error.at(self))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        match &self.value {
            Value::List(items) => visitor.visit_seq(ListItems(items.iter())),
            _ if self.is_null() => visitor.visit_seq(ListItems([].iter())),
            _ => return Err(self.unexpected("a list")),
        }
        .map_err(|error| error.at(self))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, YamlDecodeError> {
        let entries = match &self.value {
            Value::Map(entries) => entries.as_slice(),
            _ if self.is_null() => &[],
            _ => return Err(self.unexpected("a map")),
        };
        let access = MapEntries {
            rest: entries.iter(),
            value: None,
        };
        visitor.visit_map(access).map_err(|error| error.at(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        let access = match &self.value {
            Value::Scalar(scalar) if scalar.typed() != TypedScalar::Null => EnumVariant {
                name: &scalar.text,
                content: None,
            },
            Value::Map(entries) if entries.len() == 1 => EnumVariant {
                name: &entries[0].key,
                content: Some(&entries[0].value),
            },
            _ => return Err(self.unexpected("a name, or a map with one key")),
        };
        visitor.visit_enum(access).map_err(|error| error.at(self))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct }
}

/// Gives the items of a list to serde.
struct ListItems<'de>(std::slice::Iter<'de, YamlNode>);

impl<'de> SeqAccess<'de> for ListItems<'de> {
    type Error = YamlDecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, YamlDecodeError> {
        let Some(item) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(item)
            .map(Some)
            .map_err(|error| error.at(item))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// Gives the keys and values of a map to serde.
struct MapEntries<'de> {
    rest: std::slice::Iter<'de, MapEntry>,
    value: Option<&'de YamlNode>,
}

impl<'de> MapAccess<'de> for MapEntries<'de> {
    type Error = YamlDecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, YamlDecodeError> {
        let Some(entry) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(&entry.value);
        let key: serde::de::value::StrDeserializer<'_, YamlDecodeError> =
            (&*entry.key).into_deserializer();
        seed.deserialize(key).map(Some).map_err(|mut error| {
            error.position.get_or_insert_with(|| entry.position.clone());
            error
        })
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, YamlDecodeError> {
        let value = self
            .value
            .take()
            .ok_or_else(|| YamlDecodeError::custom("a value was requested before its key"))?;
        seed.deserialize(value).map_err(|error| error.at(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A value of an enum: `debug` or `{debug: …}`.
struct EnumVariant<'de> {
    name: &'de str,
    content: Option<&'de YamlNode>,
}

impl<'de> EnumAccess<'de> for EnumVariant<'de> {
    type Error = YamlDecodeError;
    type Variant = EnumVariant<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, EnumVariant<'de>), YamlDecodeError> {
        let name: serde::de::value::StrDeserializer<'_, YamlDecodeError> =
            self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> EnumVariant<'de> {
    fn content(&self, expected: &'static str) -> Result<&'de YamlNode, YamlDecodeError> {
        self.content
            .ok_or_else(|| YamlDecodeError::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'de> VariantAccess<'de> for EnumVariant<'de> {
    type Error = YamlDecodeError;

    fn unit_variant(self) -> Result<(), YamlDecodeError> {
        match self.content {
            Some(content) if !content.is_null() => Err(content.unexpected("nothing")),
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, YamlDecodeError> {
        let content = self.content("a map with the variant's value")?;
        seed.deserialize(content).map_err(|error| error.at(content))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        self.content("a list")?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, YamlDecodeError> {
        self.content("a map")?.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests;
