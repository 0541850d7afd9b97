//! What an answer means for the batch.
//!
//! | answer | means |
//! |---|---|
//! | OK | taken, but for the rows of `partial_success` |
//! | Canceled, DeadlineExceeded, Aborted, OutOfRange, Unavailable, DataLoss | send again, after RetryInfo's delay where there is one |
//! | ResourceExhausted with RetryInfo | send again after its delay |
//! | any other status | never |
//! | no connection, one that breaks, an end without a status | send again |
//!
//! From <https://opentelemetry.io/docs/specs/otlp/#failures>.

use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pipeline::Batch;
use pipeline::component::{Cause, ExportError};
use tonic::body::Body;
use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt;

use super::message;
use crate::otlp_client::{Headers, LONGEST_WAIT, PartialSuccess, Rejections, printable};

/// The longest answer, as gRPC has it.
const LIMIT: usize = 4 << 20;

/// Reads answers.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) endpoint: String,
    pub(super) headers: Headers,
    pub(super) rejections: Rejections,
}

impl Answers {
    /// No answer came.
    pub(super) fn unreachable(&self, error: tonic::transport::Error) -> ExportError {
        let endpoint = &self.endpoint;
        let reason = if is_connecting(&error) {
            format!("cannot connect to {endpoint}")
        } else {
            format!("the connection to {endpoint} broke")
        };
        ExportError::retryable(reason, error)
    }

    /// Reads an answer to its end.
    ///
    /// # Errors
    /// When it is no success; says whether to send again, and when.
    pub(super) async fn read(
        &self,
        batch: &Batch,
        answer: Response<Body>,
    ) -> Result<(), ExportError> {
        let endpoint = &self.endpoint;
        let (head, body) = answer.into_parts();
        // An answer may be headers alone, and then its status stands there.
        if let Some(status) = Status::from_header_map(&head.headers) {
            return self.settle(batch, &status, &[]);
        }
        if head.status != StatusCode::OK {
            return self.settle(batch, &status_of(head.status), &[]);
        }
        let body = match Limited::new(body, LIMIT).collect().await {
            Ok(body) => body,
            Err(error) if error.is::<LengthLimitError>() => {
                let reason = format!("{endpoint} answered more than {LIMIT} bytes");
                return Err(ExportError::permanent(reason, error));
            }
            Err(error) => return Err(self.broke(error)),
        };
        let Some(status) = body.trailers().and_then(Status::from_header_map) else {
            return Err(self.broke("the answer ended without a status".into()));
        };
        self.settle(batch, &status, &body.to_bytes())
    }

    fn broke(&self, error: Cause) -> ExportError {
        ExportError::retryable(format!("the connection to {} broke", self.endpoint), error)
    }

    fn settle(&self, batch: &Batch, status: &Status, body: &[u8]) -> Result<(), ExportError> {
        if status.code() != Code::Ok {
            return Err(self.refused(status));
        }
        // An answer that is headers alone has no message.
        let message = if body.is_empty() {
            Some(body)
        } else {
            message::unframe(body)
        };
        match message.map(PartialSuccess::from_protobuf) {
            Some(Ok(partial)) => {
                self.rejections
                    .tell(batch, &self.endpoint, &self.headers, &partial);
            }
            Some(Err(error)) => self
                .rejections
                .tell_unread(&self.endpoint, &error.to_string()),
            None => self
                .rejections
                .tell_unread(&self.endpoint, "its length is wrong, or it is compressed"),
        }
        Ok(())
    }

    fn refused(&self, status: &Status) -> ExportError {
        let message = printable(&self.headers.scrub(status.message(), None));
        let reason = format!("{} answered {:?}: {message}", self.endpoint, status.code());
        let retry_info = status.get_details_retry_info();
        let may_repeat = match status.code() {
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss => true,
            Code::ResourceExhausted => retry_info.is_some(),
            _ => false,
        };
        if !may_repeat {
            return ExportError::Permanent {
                reason,
                source: None,
            };
        }
        let after = retry_info.and_then(|info| info.retry_delay);
        ExportError::Retryable {
            reason,
            after: after.map(|after: Duration| after.min(LONGEST_WAIT)),
            source: None,
        }
    }
}

/// What stands between us and a gRPC server answers in HTTP
/// (<https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>).
fn status_of(http: StatusCode) -> Status {
    let code = match http.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("HTTP status {http}, not from a gRPC server"))
}

fn is_connecting(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
