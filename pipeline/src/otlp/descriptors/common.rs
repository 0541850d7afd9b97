//! The messages that all signals share: attributes, resources and scopes.

use super::{FieldPresence, FieldType, list, member, message, one, with_presence};

message!(pub(super) KEY_VALUE {
    one(1, "key", "key", FieldType::Text),
    one(2, "value", "value", FieldType::Message(&ANY_VALUE)),
    with_presence(3, "keyStrindex", "key_strindex", FieldType::Int32, FieldPresence::ImplicitOmitted),
});

message!(pub(in crate::otlp) ANY_VALUE {
    member(1, "stringValue", "string_value", FieldType::Text),
    member(2, "boolValue", "bool_value", FieldType::Bool),
    member(3, "intValue", "int_value", FieldType::Int64),
    member(4, "doubleValue", "double_value", FieldType::Double),
    member(5, "arrayValue", "array_value", FieldType::Message(&ARRAY_VALUE)),
    member(6, "kvlistValue", "kvlist_value", FieldType::Message(&KEY_VALUE_LIST)),
    member(7, "bytesValue", "bytes_value", FieldType::Bytes),
    member(8, "stringValueStrindex", "string_value_strindex", FieldType::Int32),
});

message!(ARRAY_VALUE {
    list(1, "values", "values", FieldType::Message(&ANY_VALUE)),
});

message!(KEY_VALUE_LIST {
    list(1, "values", "values", FieldType::Message(&KEY_VALUE)),
});

message!(pub(super) RESOURCE {
    list(1, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(2, "droppedAttributesCount", "dropped_attributes_count", FieldType::Uint32),
    list(3, "entityRefs", "entity_refs", FieldType::Message(&ENTITY_REF)),
});

message!(ENTITY_REF {
    one(1, "schemaUrl", "schema_url", FieldType::Text),
    one(2, "type", "type", FieldType::Text),
    list(3, "idKeys", "id_keys", FieldType::Text),
    list(4, "descriptionKeys", "description_keys", FieldType::Text),
});

message!(pub(super) SCOPE {
    one(1, "name", "name", FieldType::Text),
    one(2, "version", "version", FieldType::Text),
    list(3, "attributes", "attributes", FieldType::Message(&KEY_VALUE)),
    one(4, "droppedAttributesCount", "dropped_attributes_count", FieldType::Uint32),
});
