//! Fields of an answer, where each may be missing.

use serde_json::Value as Json;

/// The items of a list; none of what is no list.
pub(super) fn each(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

/// A port; none of what is no port.
pub(super) fn port(value: &Json) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}

/// A uid that the API says itself.
pub(super) fn arn(value: &Json) -> Option<String> {
    text(value).map(str::to_owned)
}

/// None of what is no text, or empty.
pub(super) fn text(value: &Json) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}
