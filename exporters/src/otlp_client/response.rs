//! Reads responses of servers: which rows of an accepted request a server rejected (`partial_success`), and messages.
//! Limits the retry delays that servers request.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use pipeline::Batch;
use pipeline::log_throttle::LogThrottle;
use prost::Message;
use serde_json::Value as Json;
use tracing::warn;

use super::Headers;

/// The longest retry delay. If a server requests a longer delay, the exporter waits this long.
pub(crate) const MAX_RETRY_DELAY: Duration = Duration::from_secs(24 * 3600);

/// The longest message of a server, in characters; the rest is cut off.
const MAX_CHARS: usize = 512;

/// The `partial_success` of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartialSuccess {
    rejected: u64,
    message: String,
}

impl PartialSuccess {
    /// Decodes the protobuf response to an export. The responses of all signals have the same fields: field 1 is the
    /// partial success; its field 1 is the number of rejected rows, its field 2 the message.
    ///
    /// # Errors
    /// If the bytes are not such a response.
    pub(crate) fn from_protobuf(response: &[u8]) -> Result<PartialSuccess, prost::DecodeError> {
        let partial = ExportTraceServiceResponse::decode(response)?.partial_success;
        Ok(
            partial.map_or_else(PartialSuccess::default, |partial| PartialSuccess {
                rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
                message: partial.error_message,
            }),
        )
    }

    /// Decodes the JSON response to an export. The key of the count depends on the signal. The count may be a string,
    /// like any int64 in protobuf's JSON.
    ///
    /// # Errors
    /// If the bytes are not JSON.
    pub(crate) fn from_json(response: &[u8]) -> Result<PartialSuccess, serde_json::Error> {
        let response: Json = serde_json::from_slice(response)?;
        let partial = &response["partialSuccess"];
        let count = |key: &str| match &partial[key] {
            Json::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let rejected = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"]
            .into_iter()
            .find_map(count);
        let message = partial["errorMessage"].as_str().unwrap_or_default();
        Ok(PartialSuccess {
            rejected: rejected.unwrap_or(0),
            message: message.to_owned(),
        })
    }
}

/// Reports rows that servers reject: to the delivery of the batch, and to the log with a limited rate.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    exporter: String,
    rejected_log: LogThrottle,
    warning_log: LogThrottle,
    unreadable_log: LogThrottle,
}

impl Rejections {
    /// `exporter` is the id of the exporter, for the log.
    pub(crate) fn of(exporter: String) -> Rejections {
        Rejections {
            exporter,
            ..Rejections::default()
        }
    }

    /// Reports the partial success of an accepted batch.
    pub(crate) fn report(
        &self,
        batch: &Batch,
        endpoint: &str,
        headers: &Headers,
        partial: &PartialSuccess,
    ) {
        let message = printable(&headers.scrub(&partial.message, None));
        // A server cannot reject more rows than it received.
        let rows = partial.rejected.min(batch.num_rows() as u64);
        let (exporter, signal) = (&self.exporter, batch.signal());
        if rows > 0 {
            let reason = format!("{endpoint} rejected rows: {message}");
            batch.delivery().reject_rows(rows, &reason);
            if let Some(suppressed) = self.rejected_log.allow() {
                warn!(exporter, %signal, rows, endpoint, message, suppressed, "the destination rejected rows");
            }
        } else if !message.is_empty()
            && let Some(suppressed) = self.warning_log.allow()
        {
            warn!(exporter, %signal, endpoint, message, suppressed, "the destination accepted the batch with a warning");
        }
    }

    /// Logs that the response to an accepted batch cannot be read.
    pub(crate) fn report_unreadable(&self, endpoint: &str, reason: &str) {
        if let Some(suppressed) = self.unreadable_log.allow() {
            let exporter = &self.exporter;
            warn!(
                exporter,
                endpoint,
                reason,
                suppressed,
                "the destination accepted the batch, but its response is not valid OTLP"
            );
        }
    }
}

/// The message of a server on one line and with a limited length.
pub(crate) fn printable(message: &str) -> String {
    let mut text: String = message
        .chars()
        .take(MAX_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if message.chars().nth(MAX_CHARS).is_some() {
        text.push('…');
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{MAX_CHARS, PartialSuccess, printable};

    #[test]
    fn counts_of_all_signals_may_be_strings_or_numbers() {
        for (key, count) in [
            ("rejectedSpans", "\"3\""),
            ("rejectedDataPoints", "3"),
            ("rejectedLogRecords", "\"3\""),
        ] {
            let json = format!(r#"{{"partialSuccess":{{"{key}":{count},"errorMessage":"no"}}}}"#);
            let partial = PartialSuccess::from_json(json.as_bytes()).unwrap();
            assert_eq!((partial.rejected, &*partial.message), (3, "no"));
        }
    }

    #[test]
    fn a_response_without_partial_success_rejects_nothing() {
        for json in [
            "{}",
            "{\"partialSuccess\":{}}",
            "{\"partialSuccess\":null}",
            "[]",
        ] {
            let partial = PartialSuccess::from_json(json.as_bytes()).unwrap();
            assert_eq!(partial, PartialSuccess::default());
        }
        let partial = PartialSuccess::from_protobuf(&[]).unwrap();
        assert_eq!(partial, PartialSuccess::default());
    }

    #[test]
    fn a_negative_count_rejects_nothing() {
        // Field 1 of field 1 is -1 as a varint.
        let response = [
            0x0a, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        let partial = PartialSuccess::from_protobuf(&response).unwrap();
        assert_eq!(partial.rejected, 0);
    }

    #[test]
    fn a_message_is_one_line_and_has_a_limited_length() {
        assert_eq!(printable("a\nb\u{1b}[31m\0 "), "a b [31m");
        let cut = printable(&"ä".repeat(9999));
        assert_eq!(cut.chars().count(), MAX_CHARS + 1);
    }
}
