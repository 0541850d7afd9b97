//! Maps gRPC responses to the outcome of an export.
//!
//! | response | outcome |
//! |---|---|
//! | OK | accepted, except for the rejected rows of `partial_success` |
//! | Canceled, DeadlineExceeded, Aborted, OutOfRange, Unavailable, DataLoss | retryable, after the delay of RetryInfo if there is one |
//! | ResourceExhausted with RetryInfo | retryable after its delay |
//! | any other status | permanent error |
//! | no gRPC status in the headers, and an HTTP status other than 200 | the outcome of the gRPC status that the HTTP status maps to |
//! | a body above 4 MiB | permanent error |
//! | no connection, a broken connection, no status after the body | retryable |
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
use crate::otlp_client::{Headers, MAX_RETRY_DELAY, PartialSuccess, Rejections, printable};

/// The largest response, in bytes: the default of gRPC.
const MAX_RESPONSE_BYTES: usize = 4 << 20;

/// Reads gRPC responses.
#[derive(Debug)]
pub(super) struct GrpcResponseReader {
    pub(super) endpoint: String,
    pub(super) headers: Headers,
    pub(super) rejections: Rejections,
}

impl GrpcResponseReader {
    /// The error for a request that got no response.
    pub(super) fn transport_error(&self, error: tonic::transport::Error) -> ExportError {
        let endpoint = &self.endpoint;
        let reason = if is_connect_error(&error) {
            format!("cannot connect to {endpoint}")
        } else {
            format!("the connection to {endpoint} broke")
        };
        ExportError::retryable(reason, error)
    }

    /// Reads a response to its end.
    ///
    /// # Errors
    /// If the response is not a success; the error says whether and when to retry.
    pub(super) async fn read(
        &self,
        batch: &Batch,
        response: Response<Body>,
    ) -> Result<(), ExportError> {
        let endpoint = &self.endpoint;
        let (head, body) = response.into_parts();
        // A response without a message may have its status in the headers ("Trailers-Only").
        if let Some(status) = Status::from_header_map(&head.headers) {
            return self.finish(batch, &status, &[]);
        }
        if head.status != StatusCode::OK {
            return self.finish(batch, &status_from_http(head.status), &[]);
        }
        let body = match Limited::new(body, MAX_RESPONSE_BYTES).collect().await {
            Ok(body) => body,
            Err(error) if error.is::<LengthLimitError>() => {
                let reason =
                    format!("the response of {endpoint} exceeds {MAX_RESPONSE_BYTES} bytes");
                return Err(ExportError::permanent(reason, error));
            }
            Err(error) => return Err(self.broken_connection(error)),
        };
        let Some(status) = body.trailers().and_then(Status::from_header_map) else {
            let reason = format!("the response of {endpoint} is not valid gRPC");
            return Err(ExportError::retryable(reason, "it has no grpc-status"));
        };
        self.finish(batch, &status, &body.to_bytes())
    }

    fn broken_connection(&self, error: Cause) -> ExportError {
        ExportError::retryable(format!("the connection to {} broke", self.endpoint), error)
    }

    /// Reports the partial success of the status `Ok`, or returns the error of any other status.
    fn finish(&self, batch: &Batch, status: &Status, body: &[u8]) -> Result<(), ExportError> {
        if status.code() != Code::Ok {
            return Err(self.status_error(status));
        }
        // A response without a message is a full success.
        let message = if body.is_empty() {
            Some(body)
        } else {
            message::unframe(body)
        };
        match message.map(PartialSuccess::from_protobuf) {
            Some(Ok(partial)) => {
                self.rejections
                    .report(batch, &self.endpoint, &self.headers, &partial);
            }
            Some(Err(error)) => self
                .rejections
                .report_unreadable(&self.endpoint, &error.to_string()),
            None => self
                .rejections
                .report_unreadable(&self.endpoint, "its length is wrong, or it is compressed"),
        }
        Ok(())
    }

    fn status_error(&self, status: &Status) -> ExportError {
        let message = printable(&self.headers.scrub(status.message(), None));
        let reason = format!("{} answered {:?}: {message}", self.endpoint, status.code());
        let retry_info = status.get_details_retry_info();
        let is_retryable = match status.code() {
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss => true,
            Code::ResourceExhausted => retry_info.is_some(),
            _ => false,
        };
        if !is_retryable {
            return ExportError::Permanent {
                reason,
                source: None,
            };
        }
        let after = retry_info.and_then(|info| info.retry_delay);
        ExportError::Retryable {
            reason,
            after: after.map(|after: Duration| after.min(MAX_RETRY_DELAY)),
            source: None,
        }
    }
}

/// The gRPC status for an HTTP status. Proxies in front of a gRPC server send HTTP statuses
/// (<https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>).
fn status_from_http(http: StatusCode) -> Status {
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

fn is_connect_error(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
