//! Values, resources and scopes, which all signals share.

use super::{Kind, Presence, list, member, message, one, with_presence};

message!(pub(super) KEY_VALUE {
    one(1, "key", "key", Kind::Text),
    one(2, "value", "value", Kind::Message(&ANY_VALUE)),
    with_presence(3, "keyStrindex", "key_strindex", Kind::Int32, Presence::Sparse),
});

message!(pub(in crate::otlp) ANY_VALUE {
    member(1, "stringValue", "string_value", Kind::Text),
    member(2, "boolValue", "bool_value", Kind::Bool),
    member(3, "intValue", "int_value", Kind::Int64),
    member(4, "doubleValue", "double_value", Kind::Double),
    member(5, "arrayValue", "array_value", Kind::Message(&ARRAY_VALUE)),
    member(6, "kvlistValue", "kvlist_value", Kind::Message(&KEY_VALUE_LIST)),
    member(7, "bytesValue", "bytes_value", Kind::Bytes),
    member(8, "stringValueStrindex", "string_value_strindex", Kind::Int32),
});

message!(ARRAY_VALUE {
    list(1, "values", "values", Kind::Message(&ANY_VALUE)),
});

message!(KEY_VALUE_LIST {
    list(1, "values", "values", Kind::Message(&KEY_VALUE)),
});

message!(pub(super) RESOURCE {
    list(1, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "droppedAttributesCount", "dropped_attributes_count", Kind::Uint32),
    list(3, "entityRefs", "entity_refs", Kind::Message(&ENTITY_REF)),
});

message!(ENTITY_REF {
    one(1, "schemaUrl", "schema_url", Kind::Text),
    one(2, "type", "type", Kind::Text),
    list(3, "idKeys", "id_keys", Kind::Text),
    list(4, "descriptionKeys", "description_keys", Kind::Text),
});

message!(pub(super) SCOPE {
    one(1, "name", "name", Kind::Text),
    one(2, "version", "version", Kind::Text),
    list(3, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
    one(4, "droppedAttributesCount", "dropped_attributes_count", Kind::Uint32),
});
