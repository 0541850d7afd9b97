//! `partial_success`: which rows a server took the request without.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use pipeline::Batch;
use prost::Message;
use serde_json::Value as Json;
use tracing::warn;

use super::seldom::Seldom;
use super::{Headers, printable};

/// What a server says of a request that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartialSuccess {
    rejected: u64,
    message: String,
}

impl PartialSuccess {
    /// Reads the response to an export. Those of all signals are the same bytes: field 1 is the
    /// partial success, and in it 1 the rejected rows and 2 the reason.
    ///
    /// # Errors
    /// When it is no such response.
    pub(crate) fn from_protobuf(response: &[u8]) -> Result<PartialSuccess, prost::DecodeError> {
        let partial = ExportTraceServiceResponse::decode(response)?.partial_success;
        Ok(
            partial.map_or_else(PartialSuccess::default, |partial| PartialSuccess {
                rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
                message: partial.error_message,
            }),
        )
    }

    /// The same in JSON, where the name of the count is the signal's, and an int64 may be text.
    ///
    /// # Errors
    /// When it is no JSON.
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

/// Tells of rows that servers reject: to those who wait, and from time to time to the log.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    exporter: String,
    rejected: Seldom,
    warned: Seldom,
    unread: Seldom,
}

impl Rejections {
    pub(crate) fn of(exporter: String) -> Rejections {
        Rejections {
            exporter,
            ..Rejections::default()
        }
    }

    /// The batch was taken, but for what `partial` says.
    pub(crate) fn tell(
        &self,
        batch: &Batch,
        endpoint: &str,
        headers: &Headers,
        partial: &PartialSuccess,
    ) {
        let message = printable(&headers.scrub(&partial.message, None));
        // No server can reject more than it was sent.
        let rows = partial.rejected.min(batch.num_rows() as u64);
        let (exporter, signal) = (&self.exporter, batch.signal());
        if rows > 0 {
            let reason = format!("{endpoint} rejected rows: {message}");
            batch.delivery().reject_rows(rows, &reason);
            if let Some(suppressed) = self.rejected.passes() {
                warn!(exporter, %signal, rows, endpoint, message, suppressed, "rows were rejected");
            }
        } else if !message.is_empty()
            && let Some(suppressed) = self.warned.passes()
        {
            warn!(exporter, %signal, endpoint, message, suppressed, "the destination warns");
        }
    }

    /// The batch was taken, but the answer cannot be read.
    pub(crate) fn tell_unread(&self, endpoint: &str, why: &str) {
        if let Some(suppressed) = self.unread.passes() {
            let exporter = &self.exporter;
            warn!(
                exporter,
                endpoint, why, suppressed, "took the batch, but answers no OTLP"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PartialSuccess;

    #[test]
    fn counts_of_all_signals_are_read_as_text_or_number() {
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
    fn nothing_said_is_nothing_rejected() {
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
}
