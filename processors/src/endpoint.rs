//! The endpoint that a client span names.

use pipeline::attributes::Value;

/// The value of `server.port` or of `net.peer.port`; some senders tell it as text.
pub(crate) fn port(value: Value<'_>) -> Option<u16> {
    match value {
        Value::Int(int) => u16::try_from(int).ok(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}
