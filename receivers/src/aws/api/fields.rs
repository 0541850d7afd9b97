//! Reads and takes optional fields of a response.

use serde_json::Value as Json;

/// The items of a list; empty if the value is not a list.
pub(in crate::aws) fn each(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

/// A port; `None` if the value is not a port number.
pub(in crate::aws) fn port(value: &Json) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}

/// A text, such as an ARN, as an owned string; `None` if it is empty or not a text.
pub(in crate::aws) fn arn(value: &Json) -> Option<String> {
    text(value).map(str::to_owned)
}

/// A text; `None` if it is empty or not a text.
pub(in crate::aws) fn text(value: &Json) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// Takes one field out of a response: `response.map(take_field("Tags"))`. A missing field is null.
pub(in crate::aws) fn take_field(key: &'static str) -> impl Fn(Json) -> Json {
    move |mut response| response.get_mut(key).map(Json::take).unwrap_or_default()
}

/// Takes the objects of the list under this key out of a value.
pub(in crate::aws) fn take_items(value: &mut Json, key: &str) -> Vec<Json> {
    value.get_mut(key).map(take_objects).unwrap_or_default()
}

/// Takes the objects out of a list.
pub(in crate::aws) fn take_objects(list: &mut Json) -> Vec<Json> {
    match list.take() {
        Json::Array(mut items) => {
            items.retain(Json::is_object);
            items
        }
        _ => Vec::new(),
    }
}
