//! Reads fields of a response, each of which may be missing.

use serde_json::Value as Json;

/// The items of a list; empty where the value is not a list.
pub(super) fn each(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

/// A port; none where the value is not a port number.
pub(super) fn port(value: &Json) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}

/// An ARN that the response contains, as a uid.
pub(super) fn arn(value: &Json) -> Option<String> {
    text(value).map(str::to_owned)
}

/// A text; none where it is empty or not a text.
pub(super) fn text(value: &Json) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}
