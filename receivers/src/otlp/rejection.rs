//! Why the receiver rejects a request, and the codes of the rejection in gRPC and HTTP.
//!
//! | rejection | gRPC | HTTP | retryable |
//! |---|---|---|---|
//! | malformed | InvalidArgument | 400 | no |
//! | corrupt compression | Internal | 400 | no |
//! | unknown compression | Unimplemented | 400 | no |
//! | too large | ResourceExhausted | 413 | no |
//! | overloaded | ResourceExhausted with RetryInfo | 429 with Retry-After | yes |
//! | unavailable | Unavailable with RetryInfo | 503 with Retry-After | yes |
//! | deadline | DeadlineExceeded | 503 with Retry-After | yes |
//! | unsupported signal | Unimplemented | 404 | no |
//! | failed | Internal | 500 | no |
//!
//! Source: OTLP 1.x, "Failures" and "Throttling"; the Collector's `internal/errors`.

use std::time::Duration;

use http::StatusCode;
use pipeline::channel::{RETRY_AFTER, SendError};
use pipeline::delivery::{Refusal, Retry};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Why the receiver rejects a request as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RequestRejection {
    pub(super) kind: RejectionKind,
    pub(super) message: String,
    /// The delay after which the sender should send again; `None` if it should not.
    pub(super) retry_after: Option<Duration>,
}

/// The reason for a rejection, which determines its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RejectionKind {
    Malformed,
    /// The body is not compressed as its header says.
    Corrupt,
    /// The receiver does not support this compression.
    UnknownCoding,
    TooLarge,
    /// The request budget is exhausted, or a queue is full.
    Overloaded,
    /// The request could not be delivered now, for example because a pipeline stopped.
    Unavailable,
    /// The request was not read or delivered before its deadline.
    Deadline,
    /// No pipeline accepts this signal from this receiver, or the gRPC method is unknown.
    UnsupportedSignal,
    /// A component refused the request permanently, or decoding panicked.
    Failed,
}

impl RejectionKind {
    /// The value of the label in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            RejectionKind::Malformed => "malformed",
            RejectionKind::Corrupt => "corrupt",
            RejectionKind::UnknownCoding => "unknown_coding",
            RejectionKind::TooLarge => "too_large",
            RejectionKind::Overloaded => "overloaded",
            RejectionKind::Unavailable => "unavailable",
            RejectionKind::Deadline => "deadline",
            RejectionKind::UnsupportedSignal => "unserved",
            RejectionKind::Failed => "failed",
        }
    }
}

impl RequestRejection {
    pub(super) fn malformed(message: impl Into<String>) -> RequestRejection {
        RequestRejection::permanent(RejectionKind::Malformed, message)
    }

    pub(super) fn corrupt(message: impl Into<String>) -> RequestRejection {
        RequestRejection::permanent(RejectionKind::Corrupt, message)
    }

    pub(super) fn unknown_coding(message: impl Into<String>) -> RequestRejection {
        RequestRejection::permanent(RejectionKind::UnknownCoding, message)
    }

    pub(super) fn too_large(limit: usize) -> RequestRejection {
        let message = format!("request is larger than the limit of {limit} bytes");
        RequestRejection::permanent(RejectionKind::TooLarge, message)
    }

    pub(super) fn unsupported_signal(message: impl Into<String>) -> RequestRejection {
        RequestRejection::permanent(RejectionKind::UnsupportedSignal, message)
    }

    pub(super) fn failed(message: impl Into<String>) -> RequestRejection {
        RequestRejection::permanent(RejectionKind::Failed, message)
    }

    pub(super) fn overloaded(message: impl Into<String>) -> RequestRejection {
        RequestRejection::retryable(RejectionKind::Overloaded, message, RETRY_AFTER)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> RequestRejection {
        RequestRejection::retryable(RejectionKind::Unavailable, message, RETRY_AFTER)
    }

    pub(super) fn deadline(message: impl Into<String>) -> RequestRejection {
        RequestRejection::retryable(RejectionKind::Deadline, message, RETRY_AFTER)
    }

    fn permanent(kind: RejectionKind, message: impl Into<String>) -> RequestRejection {
        RequestRejection {
            kind,
            message: truncated(message.into()),
            retry_after: None,
        }
    }

    fn retryable(
        kind: RejectionKind,
        message: impl Into<String>,
        retry_after: Duration,
    ) -> RequestRejection {
        RequestRejection {
            retry_after: Some(retry_after),
            ..RequestRejection::permanent(kind, message)
        }
    }

    /// The gRPC code.
    pub(super) fn code(&self) -> Code {
        match self.kind {
            RejectionKind::Malformed => Code::InvalidArgument,
            RejectionKind::TooLarge | RejectionKind::Overloaded => Code::ResourceExhausted,
            RejectionKind::Unavailable => Code::Unavailable,
            RejectionKind::Deadline => Code::DeadlineExceeded,
            RejectionKind::UnknownCoding | RejectionKind::UnsupportedSignal => Code::Unimplemented,
            RejectionKind::Corrupt | RejectionKind::Failed => Code::Internal,
        }
    }

    /// The gRPC code in the body of an HTTP response, which must agree with the HTTP status.
    pub(super) fn http_code(&self) -> Code {
        match self.kind {
            RejectionKind::Corrupt | RejectionKind::UnknownCoding => Code::InvalidArgument,
            _ => self.code(),
        }
    }

    pub(super) fn http_status(&self) -> StatusCode {
        match self.kind {
            RejectionKind::Malformed | RejectionKind::Corrupt | RejectionKind::UnknownCoding => {
                StatusCode::BAD_REQUEST
            }
            RejectionKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RejectionKind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            RejectionKind::Unavailable | RejectionKind::Deadline => StatusCode::SERVICE_UNAVAILABLE,
            RejectionKind::UnsupportedSignal => StatusCode::NOT_FOUND,
            RejectionKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// `Retry-After`, in whole seconds and never 0.
    pub(super) fn retry_after_seconds(&self) -> Option<u64> {
        let after = self.retry_after?;
        let rounded_up = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        Some(rounded_up.max(1))
    }

    /// The gRPC status, with RetryInfo if the sender should send again.
    pub(super) fn status(&self) -> Status {
        match self.retry_after {
            None => Status::new(self.code(), &self.message),
            Some(after) => Status::with_error_details(
                self.code(),
                &self.message,
                ErrorDetails::with_retry_info(Some(after)),
            ),
        }
    }
}

/// Truncates a message: gRPC sends it in a header, percent-encoded, and peers limit the size of headers.
fn truncated(mut message: String) -> String {
    const LONGEST: usize = 1024;
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST));
        message.push('…');
    }
    message
}

impl From<SendError> for RequestRejection {
    fn from(error: SendError) -> RequestRejection {
        match error {
            SendError::Full { .. } => RequestRejection::overloaded(error.to_string()),
            SendError::Closed { .. } => RequestRejection::unavailable(error.to_string()),
        }
    }
}

impl From<Refusal> for RequestRejection {
    fn from(refusal: Refusal) -> RequestRejection {
        match refusal.retry {
            Retry::After(after) => {
                RequestRejection::retryable(RejectionKind::Unavailable, refusal.to_string(), after)
            }
            Retry::Never => RequestRejection::failed(refusal.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pipeline::delivery::{Refusal, Retry};
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::RequestRejection;

    fn codes(rejection: &RequestRejection) -> (Code, u16, bool, Option<u64>) {
        let status = rejection.status();
        let retry_info = status.get_details_retry_info().is_some();
        assert_eq!(status.code(), rejection.code());
        (
            rejection.code(),
            rejection.http_status().as_u16(),
            retry_info,
            rejection.retry_after_seconds(),
        )
    }

    fn refusal(retry: Retry) -> RequestRejection {
        let refusal = Refusal {
            component: "exporters/x".into(),
            reason: "gone".into(),
            retry,
        };
        RequestRejection::from(refusal)
    }

    #[test]
    fn each_rejection_has_its_codes() {
        let rows = [
            (
                RequestRejection::malformed(""),
                (Code::InvalidArgument, 400, false, None),
            ),
            (
                RequestRejection::corrupt(""),
                (Code::Internal, 400, false, None),
            ),
            (
                RequestRejection::unknown_coding(""),
                (Code::Unimplemented, 400, false, None),
            ),
            (
                RequestRejection::too_large(1),
                (Code::ResourceExhausted, 413, false, None),
            ),
            (
                RequestRejection::overloaded(""),
                (Code::ResourceExhausted, 429, true, Some(1)),
            ),
            (
                RequestRejection::unavailable(""),
                (Code::Unavailable, 503, true, Some(1)),
            ),
            (
                RequestRejection::deadline(""),
                (Code::DeadlineExceeded, 503, true, Some(1)),
            ),
            (
                RequestRejection::unsupported_signal(""),
                (Code::Unimplemented, 404, false, None),
            ),
            (
                RequestRejection::failed(""),
                (Code::Internal, 500, false, None),
            ),
            (refusal(Retry::Never), (Code::Internal, 500, false, None)),
            (
                refusal(Retry::After(Duration::from_millis(2500))),
                (Code::Unavailable, 503, true, Some(3)),
            ),
        ];
        for (rejection, expected) in rows {
            assert_eq!(codes(&rejection), expected, "{rejection:?}");
        }
    }

    #[test]
    fn long_message_is_truncated_between_characters() {
        let rejection = RequestRejection::failed("ä".repeat(5000));
        assert_eq!(rejection.message.chars().count(), 513);
    }

    #[test]
    fn zero_retry_time_is_one_second_in_http() {
        assert_eq!(
            refusal(Retry::After(Duration::ZERO)).retry_after_seconds(),
            Some(1)
        );
    }
}
