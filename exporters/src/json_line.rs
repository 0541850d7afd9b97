//! Encodes a batch as lines of JSON: OTLP JSON for traces, metrics and logs, one row per line for other signals.

use pipeline::otlp::EncodeError;
use pipeline::{Batch, SignalSet, json_rows, otlp};
use serde_json::Value as Json;

/// The lines of a batch, each with its line end.
///
/// # Errors
/// If the batch cannot be encoded as OTLP.
pub(crate) fn lines(batch: &Batch) -> Result<String, EncodeError> {
    if SignalSet::TELEMETRY.contains(batch.signal()) {
        let mut line = otlp::json::encode(batch)?;
        line.push('\n');
        return Ok(line);
    }
    let mut lines = String::new();
    for mut row in json_rows::to_json(batch) {
        row.shift_insert(0, "signal".to_owned(), batch.signal().name().into());
        lines.push_str(&Json::Object(row).to_string());
        lines.push('\n');
    }
    Ok(lines)
}
