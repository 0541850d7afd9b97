//! Why a request was not taken, and what that is called in gRPC and in HTTP.
//!
//! | rejection | gRPC | HTTP | sent again |
//! |---|---|---|---|
//! | malformed | InvalidArgument | 400 | no |
//! | wrongly compressed | Internal | 400 | no |
//! | compressed in an unknown way | Unimplemented | 400 | no |
//! | too large | ResourceExhausted | 413 | no |
//! | overloaded | ResourceExhausted with RetryInfo | 429 with Retry-After | yes |
//! | unavailable | Unavailable with RetryInfo | 503 with Retry-After | yes |
//! | deadline | DeadlineExceeded | 503 with Retry-After | yes |
//! | unserved | Unimplemented | 404 | no |
//! | failed | Internal | 500 | no |
//!
//! Source: OTLP 1.x, "Failures" and "Throttling"; the Collector's `internal/errors`.

use std::time::Duration;

use http::StatusCode;
use pipeline::channel::{RETRY_AFTER, SendError};
use pipeline::delivery::{Refusal, Retry};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// What the sender is told instead of a success.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rejection {
    pub(super) kind: Kind,
    pub(super) message: String,
    /// When it makes sense to send again.
    pub(super) after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Malformed,
    /// The bytes are not compressed as they are said to be.
    Corrupt,
    /// Compressed in a way that nobody here knows.
    UnknownCoding,
    TooLarge,
    Overloaded,
    Unavailable,
    /// The time that the sender gave is over.
    Deadline,
    /// No pipeline takes this signal from this receiver, or there is no such signal.
    Unserved,
    Failed,
}

impl Kind {
    /// As a label of metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Malformed => "malformed",
            Kind::Corrupt => "corrupt",
            Kind::UnknownCoding => "unknown_coding",
            Kind::TooLarge => "too_large",
            Kind::Overloaded => "overloaded",
            Kind::Unavailable => "unavailable",
            Kind::Deadline => "deadline",
            Kind::Unserved => "unserved",
            Kind::Failed => "failed",
        }
    }
}

impl Rejection {
    pub(super) fn malformed(message: impl Into<String>) -> Rejection {
        Rejection::lasting(Kind::Malformed, message)
    }

    pub(super) fn corrupt(message: impl Into<String>) -> Rejection {
        Rejection::lasting(Kind::Corrupt, message)
    }

    pub(super) fn unknown_coding(message: impl Into<String>) -> Rejection {
        Rejection::lasting(Kind::UnknownCoding, message)
    }

    pub(super) fn too_large(limit: usize) -> Rejection {
        let message = format!("request is larger than the limit of {limit} bytes");
        Rejection::lasting(Kind::TooLarge, message)
    }

    pub(super) fn unserved(message: impl Into<String>) -> Rejection {
        Rejection::lasting(Kind::Unserved, message)
    }

    pub(super) fn failed(message: impl Into<String>) -> Rejection {
        Rejection::lasting(Kind::Failed, message)
    }

    pub(super) fn overloaded(message: impl Into<String>) -> Rejection {
        Rejection::passing(Kind::Overloaded, message, RETRY_AFTER)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Rejection {
        Rejection::passing(Kind::Unavailable, message, RETRY_AFTER)
    }

    pub(super) fn deadline(message: impl Into<String>) -> Rejection {
        Rejection::passing(Kind::Deadline, message, RETRY_AFTER)
    }

    fn lasting(kind: Kind, message: impl Into<String>) -> Rejection {
        Rejection {
            kind,
            message: short(message.into()),
            after: None,
        }
    }

    fn passing(kind: Kind, message: impl Into<String>, after: Duration) -> Rejection {
        Rejection {
            after: Some(after),
            ..Rejection::lasting(kind, message)
        }
    }

    pub(super) fn code(&self) -> Code {
        match self.kind {
            Kind::Malformed => Code::InvalidArgument,
            Kind::TooLarge | Kind::Overloaded => Code::ResourceExhausted,
            Kind::Unavailable => Code::Unavailable,
            Kind::Deadline => Code::DeadlineExceeded,
            Kind::UnknownCoding | Kind::Unserved => Code::Unimplemented,
            Kind::Corrupt | Kind::Failed => Code::Internal,
        }
    }

    /// The code in the body of an HTTP answer: the one that its status stands for.
    pub(super) fn http_code(&self) -> Code {
        match self.kind {
            Kind::Corrupt | Kind::UnknownCoding => Code::InvalidArgument,
            _ => self.code(),
        }
    }

    pub(super) fn http_status(&self) -> StatusCode {
        match self.kind {
            Kind::Malformed | Kind::Corrupt | Kind::UnknownCoding => StatusCode::BAD_REQUEST,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Kind::Unavailable | Kind::Deadline => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Unserved => StatusCode::NOT_FOUND,
            Kind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// `Retry-After`, in whole seconds and never 0.
    pub(super) fn retry_after_seconds(&self) -> Option<u64> {
        let after = self.after?;
        let rounded_up = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        Some(rounded_up.max(1))
    }

    /// With RetryInfo where sending again makes sense.
    pub(super) fn status(&self) -> Status {
        match self.after {
            None => Status::new(self.code(), &self.message),
            Some(after) => Status::with_error_details(
                self.code(),
                &self.message,
                ErrorDetails::with_retry_info(Some(after)),
            ),
        }
    }
}

/// gRPC sends the message in a header, percent-encoded, and peers bound what headers may hold.
fn short(mut message: String) -> String {
    const LONGEST: usize = 1024;
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST));
        message.push('…');
    }
    message
}

impl From<SendError> for Rejection {
    fn from(error: SendError) -> Rejection {
        match error {
            SendError::Full { .. } => Rejection::overloaded(error.to_string()),
            SendError::Closed { .. } => Rejection::unavailable(error.to_string()),
        }
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Rejection {
        match refusal.retry {
            Retry::After(after) => {
                Rejection::passing(Kind::Unavailable, refusal.to_string(), after)
            }
            Retry::Never => Rejection::failed(refusal.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pipeline::delivery::{Refusal, Retry};
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::Rejection;

    fn told(rejection: &Rejection) -> (Code, u16, bool, Option<u64>) {
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

    fn refusal(retry: Retry) -> Rejection {
        let refusal = Refusal {
            component: "exporters/x".into(),
            reason: "gone".into(),
            retry,
        };
        Rejection::from(refusal)
    }

    #[test]
    fn each_rejection_has_its_codes() {
        let rows = [
            (
                Rejection::malformed(""),
                (Code::InvalidArgument, 400, false, None),
            ),
            (Rejection::corrupt(""), (Code::Internal, 400, false, None)),
            (
                Rejection::unknown_coding(""),
                (Code::Unimplemented, 400, false, None),
            ),
            (
                Rejection::too_large(1),
                (Code::ResourceExhausted, 413, false, None),
            ),
            (
                Rejection::overloaded(""),
                (Code::ResourceExhausted, 429, true, Some(1)),
            ),
            (
                Rejection::unavailable(""),
                (Code::Unavailable, 503, true, Some(1)),
            ),
            (
                Rejection::deadline(""),
                (Code::DeadlineExceeded, 503, true, Some(1)),
            ),
            (
                Rejection::unserved(""),
                (Code::Unimplemented, 404, false, None),
            ),
            (Rejection::failed(""), (Code::Internal, 500, false, None)),
            (refusal(Retry::Never), (Code::Internal, 500, false, None)),
            (
                refusal(Retry::After(Duration::from_millis(2500))),
                (Code::Unavailable, 503, true, Some(3)),
            ),
        ];
        for (rejection, expected) in rows {
            assert_eq!(told(&rejection), expected, "{rejection:?}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_letters() {
        let rejection = Rejection::failed("ä".repeat(5000));
        assert_eq!(rejection.message.chars().count(), 513);
    }

    #[test]
    fn a_wait_of_nothing_is_still_a_second_in_http() {
        assert_eq!(
            refusal(Retry::After(Duration::ZERO)).retry_after_seconds(),
            Some(1)
        );
    }
}
