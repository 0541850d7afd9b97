//! What an answer means for the batch.
//!
//! | answer | means |
//! |---|---|
//! | 2xx | taken, but for the rows of `partial_success` |
//! | 429, 502, 503, 504 | send again, after Retry-After where it is given |
//! | any other status | never |
//! | no connection, one that breaks | send again |
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
use crate::otlp_client::{Headers, LONGEST_WAIT, PartialSuccess, Rejections, printable};

/// So much of an answer is read, as in the Collector.
const LIMIT: usize = 64 << 10;

/// Reads answers.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) headers: Headers,
    pub(super) rejections: Rejections,
}

/// No answer came.
pub(super) fn unreachable(destination: &Destination, error: legacy::Error) -> ExportError {
    let reason = if error.is_connect() {
        format!("cannot connect to {destination}")
    } else {
        format!("the connection to {destination} broke")
    };
    ExportError::retryable(reason, error)
}

impl Answers {
    /// Reads an answer as far as it matters.
    ///
    /// # Errors
    /// When it is no success; says whether to send again, and when.
    pub(super) async fn read<B>(
        &self,
        batch: &Batch,
        destination: &Destination,
        answer: Response<B>,
    ) -> Result<(), ExportError>
    where
        B: Body<Data = Bytes, Error: Into<Cause>> + Unpin,
    {
        let (head, body) = answer.into_parts();
        let body = read_bounded(body).await;
        let form = Form::of(&head.headers);
        if head.status.is_success() {
            let body = body.map_err(|error| {
                let reason = format!("the connection to {destination} broke");
                ExportError::retryable(reason, error)
            })?;
            self.taken(batch, destination, form, body);
            return Ok(());
        }
        // The status says enough where the body breaks off.
        let said = body.ok().and_then(|body| form.message(body.start()));
        let said = printable(
            &self
                .headers
                .scrub(&said.unwrap_or_default(), destination.authorization()),
        );
        let mut reason = format!("{destination} answered {}", head.status);
        if !said.is_empty() {
            reason = format!("{reason}: {said}");
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

    fn taken(&self, batch: &Batch, destination: &Destination, form: Form, body: Read) {
        let endpoint = destination.to_string();
        let body = match body {
            Read::Whole(body) => body,
            Read::Start(_) => {
                let why = format!("more than {LIMIT} bytes");
                return self.rejections.tell_unread(&endpoint, &why);
            }
        };
        match form.partial_success(&body) {
            Ok(partial) => self
                .rejections
                .tell(batch, &endpoint, &self.headers, &partial),
            Err(error) => self.rejections.tell_unread(&endpoint, &error.to_string()),
        }
    }
}

/// What an answer's body is.
#[derive(Clone, Copy)]
enum Form {
    Protobuf,
    Json,
    Text,
    /// A page of a proxy, mostly.
    Other,
}

impl Form {
    fn of(headers: &HeaderMap) -> Form {
        let content_type = headers.get(header::CONTENT_TYPE);
        let text = content_type.and_then(|value| value.to_str().ok());
        let kind = text.and_then(|text| text.split(';').next());
        match kind.unwrap_or_default().trim() {
            "application/x-protobuf" | "application/protobuf" => Form::Protobuf,
            "application/json" => Form::Json,
            "text/plain" => Form::Text,
            _ => Form::Other,
        }
    }

    /// An answer in neither form of OTLP says nothing of rows.
    fn partial_success(self, body: &[u8]) -> Result<PartialSuccess, Cause> {
        match self {
            _ if body.is_empty() => Ok(PartialSuccess::default()),
            Form::Protobuf => Ok(PartialSuccess::from_protobuf(body)?),
            Form::Json => Ok(PartialSuccess::from_json(body)?),
            Form::Text | Form::Other => Ok(PartialSuccess::default()),
        }
    }

    /// What a refusal says: the message of `google.rpc.Status`, or text.
    fn message(self, body: &[u8]) -> Option<String> {
        match self {
            Form::Protobuf => Some(tonic_types::Status::decode(body).ok()?.message),
            Form::Json => {
                let said: Option<Json> = serde_json::from_slice(body).ok();
                let message = said.as_ref().and_then(|said| said["message"].as_str());
                Some(message.map_or_else(|| text(body), str::to_owned))
            }
            Form::Text => Some(text(body)),
            Form::Other => None,
        }
    }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

enum Read {
    Whole(Vec<u8>),
    /// There is more.
    Start(Vec<u8>),
}

impl Read {
    fn start(&self) -> &[u8] {
        match self {
            Read::Whole(bytes) | Read::Start(bytes) => bytes,
        }
    }
}

/// Up to the limit; what comes after it is never read.
async fn read_bounded<B>(mut body: B) -> Result<Read, Cause>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Unpin,
{
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Into::into)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let room = LIMIT - read.len();
        if data.len() > room {
            read.extend_from_slice(&data[..room]);
            return Ok(Read::Start(read));
        }
        read.extend_from_slice(data);
    }
    Ok(Read::Whole(read))
}

/// `Retry-After`, in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{HeaderMap, header};

    use super::{LONGEST_WAIT, retry_after};

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_too_long() {
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
        assert_eq!(read("18446744073709551615"), Some(LONGEST_WAIT));
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
