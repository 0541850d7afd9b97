//! Maps HTTP responses to the outcome of an export.
//!
//! | response | outcome |
//! |---|---|
//! | 2xx | accepted, except for the rejected rows of `partial_success` |
//! | 429, 502, 503, 504 | retryable, after the delay of Retry-After if there is one |
//! | any other status | permanent error |
//! | no connection, a broken connection | retryable |
//!
//! From <https://opentelemetry.io/docs/specs/otlp/#failures-1>.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use http_body::Body;
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use pipeline::Batch;
use pipeline::component::{Cause, ExportError};
use prost::Message;
use serde_json::Value as Json;

use super::destination::Destination;
use crate::otlp_client::{Headers, MAX_RETRY_DELAY, PartialSuccess, Rejections, printable};

/// The largest part of a response body that is read, in bytes; the same as in the Collector.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Reads HTTP responses.
#[derive(Debug)]
pub(super) struct HttpResponseReader {
    pub(super) headers: Headers,
    pub(super) rejections: Rejections,
}

/// The error for a request that got no response.
pub(super) fn transport_error(destination: &Destination, error: legacy::Error) -> ExportError {
    let reason = if error.is_connect() {
        format!("cannot connect to {destination}")
    } else {
        format!("the connection to {destination} broke")
    };
    ExportError::retryable(reason, error)
}

impl HttpResponseReader {
    /// Reads a response, its body up to [`MAX_BODY_BYTES`].
    ///
    /// # Errors
    /// If the response is not a success; the error says whether and when to retry.
    pub(super) async fn read<B>(
        &self,
        batch: &Batch,
        destination: &Destination,
        response: Response<B>,
    ) -> Result<(), ExportError>
    where
        B: Body<Data = Bytes, Error: Into<Cause>> + Unpin,
    {
        let (head, body) = response.into_parts();
        let body = read_bounded(body).await;
        let format = BodyFormat::of(&head.headers);
        if head.status.is_success() {
            let body = body.map_err(|error| {
                let reason = format!("the connection to {destination} broke");
                ExportError::retryable(reason, error)
            })?;
            self.report_accepted(batch, destination, format, body);
            return Ok(());
        }
        // If the body cannot be read, the error has only the status.
        let message = body.ok().and_then(|body| format.message(body.start()));
        let message = printable(
            &self
                .headers
                .scrub(&message.unwrap_or_default(), destination.authorization()),
        );
        let mut reason = format!("{destination} answered {}", head.status);
        if !message.is_empty() {
            reason = format!("{reason}: {message}");
        }
        Err(match head.status.as_u16() {
            429 | 502 | 503 | 504 => ExportError::Retryable {
                reason,
                after: retry_after(&head.headers, SystemTime::now()),
                source: None,
            },
            _ => ExportError::Permanent {
                reason,
                source: None,
            },
        })
    }

    /// Reports the partial success of an accepted batch.
    fn report_accepted(
        &self,
        batch: &Batch,
        destination: &Destination,
        format: BodyFormat,
        body: BoundedBody,
    ) {
        let endpoint = destination.to_string();
        let body = match body {
            BoundedBody::Whole(body) => body,
            BoundedBody::Start(_) => {
                let reason = format!("it exceeds {MAX_BODY_BYTES} bytes");
                return self.rejections.report_unreadable(&endpoint, &reason);
            }
        };
        match format.partial_success(&body) {
            Ok(partial) => self
                .rejections
                .report(batch, &endpoint, &self.headers, &partial),
            Err(error) => self
                .rejections
                .report_unreadable(&endpoint, &error.to_string()),
        }
    }
}

/// The format of a response body.
#[derive(Clone, Copy)]
enum BodyFormat {
    Protobuf,
    Json,
    Text,
    /// Any other content type, usually an HTML page of a proxy.
    Other,
}

impl BodyFormat {
    fn of(headers: &HeaderMap) -> BodyFormat {
        let content_type = headers.get(header::CONTENT_TYPE);
        let text = content_type.and_then(|value| value.to_str().ok());
        let kind = text.and_then(|text| text.split(';').next());
        match kind.unwrap_or_default().trim() {
            "application/x-protobuf" | "application/protobuf" => BodyFormat::Protobuf,
            "application/json" => BodyFormat::Json,
            "text/plain" => BodyFormat::Text,
            _ => BodyFormat::Other,
        }
    }

    /// The `partial_success` of a body. An empty body, or one of another format than protobuf and JSON, rejects no
    /// rows.
    fn partial_success(self, body: &[u8]) -> Result<PartialSuccess, Cause> {
        match self {
            _ if body.is_empty() => Ok(PartialSuccess::default()),
            BodyFormat::Protobuf => Ok(PartialSuccess::from_protobuf(body)?),
            BodyFormat::Json => Ok(PartialSuccess::from_json(body)?),
            BodyFormat::Text | BodyFormat::Other => Ok(PartialSuccess::default()),
        }
    }

    /// The message of an error response: that of `google.rpc.Status`, or the text of the body.
    fn message(self, body: &[u8]) -> Option<String> {
        match self {
            BodyFormat::Protobuf => Some(tonic_types::Status::decode(body).ok()?.message),
            BodyFormat::Json => {
                let status: Option<Json> = serde_json::from_slice(body).ok();
                let message = status
                    .as_ref()
                    .and_then(|status| status["message"].as_str());
                Some(message.map_or_else(|| text(body), str::to_owned))
            }
            BodyFormat::Text => Some(text(body)),
            BodyFormat::Other => None,
        }
    }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// A response body that is read up to [`MAX_BODY_BYTES`].
enum BoundedBody {
    Whole(Vec<u8>),
    /// The start of a longer body.
    Start(Vec<u8>),
}

impl BoundedBody {
    fn start(&self) -> &[u8] {
        match self {
            BoundedBody::Whole(bytes) | BoundedBody::Start(bytes) => bytes,
        }
    }
}

/// Reads a body up to [`MAX_BODY_BYTES`], and leaves the rest unread.
async fn read_bounded<B>(mut body: B) -> Result<BoundedBody, Cause>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Unpin,
{
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Into::into)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let remaining = MAX_BODY_BYTES - read.len();
        if data.len() > remaining {
            read.extend_from_slice(&data[..remaining]);
            return Ok(BoundedBody::Start(read));
        }
        read.extend_from_slice(data);
    }
    Ok(BoundedBody::Whole(read))
}

/// The delay of `Retry-After`, which is a number of seconds or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let delay = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(delay.min(MAX_RETRY_DELAY))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{HeaderMap, header};

    use super::{MAX_RETRY_DELAY, retry_after};

    #[test]
    fn retry_after_is_seconds_or_a_date_and_has_a_limit() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(read("7"), seconds(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:40 GMT"), seconds(3));
        assert_eq!(read("Sat, 06 Nov 1993 08:49:40 GMT"), seconds(0));
        assert_eq!(read("18446744073709551615"), Some(MAX_RETRY_DELAY));
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
