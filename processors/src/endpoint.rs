//! The port of the endpoint that a client span names.

use pipeline::attributes::Value;

/// Parses the value of `server.port` or `net.peer.port`, which some SDKs send as text.
pub(crate) fn port(value: Value<'_>) -> Option<u16> {
    match value {
        Value::Int(int) => u16::try_from(int).ok(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}
