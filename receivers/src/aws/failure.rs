//! A call that failed: which, where, why, and what to do.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::service::Service;

/// Which call, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub(super) service: Service,
    /// `DescribeVpcs`.
    pub(super) operation: &'static str,
    pub(super) region: Box<str>,
    /// Empty before it is known.
    pub(super) account: Box<str>,
}

/// Holds no secret: of AWS's messages, which name principals and resources, only the first line is kept.
/// (Further ones of a wrong signature repeat the request, with its session token.)
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    pub(super) call: Call,
    pub(super) why: Why,
    /// AWS's code, such as `UnauthorizedOperation`; empty where no answer came.
    pub(super) code: String,
    pub(super) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// There are none, or they are wrong or have expired.
    Credentials,
    Denied,
    Throttled,
    /// The region is switched off in the account.
    RegionOff,
    /// What was asked for is not there.
    NotFound,
    TimedOut,
    Unreachable,
    Malformed,
    /// AWS has answered, and nobody took what it said.
    NotDelivered,
    Other,
}

impl Why {
    /// By the codes that AWS's services share (Common Errors of each API reference).
    fn of_code(code: &str) -> Why {
        match code {
            "OptInRequired" | "RegionDisabled" | "RegionDisabledException" => Why::RegionOff,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "AuthFailure"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "InvalidAccessKeyId"
            | "IncompleteSignature"
            | "InvalidToken"
            | "NotSignedUp" => Why::Credentials,
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "AllAccessDisabled"
            | "AuthorizationError"
            | "NotAuthorized" => Why::Denied,
            code if code.contains("Throttl") => Why::Throttled,
            "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "BandwidthLimitExceeded"
            | "LimitExceededException" => Why::Throttled,
            code if code.contains("NotFound") => Why::NotFound,
            code if code.starts_with("NoSuch") => Why::NotFound,
            _ => Why::Other,
        }
    }
}

impl Failure {
    pub(super) fn of<E, R>(call: Call, error: &SdkError<E, R>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map(str::to_owned);
        let why = match error {
            SdkError::ServiceError(_) => Why::of_code(&code),
            SdkError::TimeoutError(_) => Why::TimedOut,
            SdkError::ResponseError(_) => Why::Malformed,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Why::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_io() => Why::Unreachable,
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_)
                if lacks_credentials(error) =>
            {
                Why::Credentials
            }
            _ => Why::Other,
        };
        let message = message.unwrap_or_else(|| causes(error));
        Failure {
            call,
            why,
            code,
            message: message.lines().next().unwrap_or_default().to_owned(),
        }
    }

    pub(super) fn malformed(call: Call, reason: impl fmt::Display) -> Failure {
        Failure {
            call,
            why: Why::Malformed,
            code: String::new(),
            message: reason.to_string(),
        }
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.why == Why::NotFound
    }

    /// Whether only a setting of what was asked about is not there, and not that itself.
    pub(super) fn is_no_such_setting(&self) -> bool {
        let codes = [
            "NoSuchBucketPolicy",
            "NoSuchConfiguration",
            "NoSuchPublicAccessBlockConfiguration",
            "NoSuchTagSet",
            "ServerSideEncryptionConfigurationNotFoundError",
        ];
        codes.contains(&self.code.as_str())
    }

    fn is_unknown_there(&self) -> bool {
        let codes = [
            "AuthFailure",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
        ];
        codes.contains(&self.code.as_str())
    }

    /// What helps.
    fn advice(&self) -> String {
        let Call {
            service,
            operation,
            region,
            ..
        } = &self.call;
        match self.why {
            // Of a region that is switched off AWS says this, too: it does not know the account there.
            Why::Credentials if !self.call.account.is_empty() && self.is_unknown_there() => format!(
                "enable {region} in the account, or take it out of `regions`; where it is enabled, give airdig \
                 credentials that are valid"
            ),
            Why::Credentials => {
                "give airdig credentials that are valid now: AWS_PROFILE, a role of the instance or pod, or \
                 `profile` and `accounts` of the receiver"
                    .to_owned()
            }
            Why::Denied => {
                let action = service.action(operation);
                format!("allow {action} to the principal, or exclude the kind")
            }
            Why::Throttled => format!("lower `rate_limits: {{{service}: …}}` or lengthen `interval`"),
            Why::RegionOff => format!("enable {region} in the account, or take it out of `regions`"),
            Why::NotFound => "it may have been deleted while it was scanned".to_owned(),
            Why::TimedOut => "look at the network between airdig and AWS, or raise `timeout`".to_owned(),
            Why::Unreachable => {
                "look at the network, the region's name and `endpoint`; in a VPC without internet it takes a \
                 VPC endpoint of the service"
                    .to_owned()
            }
            Why::Malformed => "whoever answers is not AWS, or answers what this airdig cannot read".to_owned(),
            Why::NotDelivered => "the next scan tells it again".to_owned(),
            Why::Other => "the next scan tries again".to_owned(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call {
            service,
            operation,
            region,
            account,
        } = &self.call;
        write!(f, "{service}:{operation} in {region}")?;
        if !account.is_empty() {
            write!(f, " of {account}")?;
        }
        let what = match self.why {
            Why::Credentials => "no valid credentials",
            Why::Denied => "access denied",
            Why::Throttled => "throttled",
            Why::RegionOff => "the region is switched off",
            Why::NotFound => "not found",
            Why::TimedOut => "no answer in time",
            Why::Unreachable => "not reachable",
            Why::Malformed => "malformed answer",
            Why::NotDelivered => "not delivered",
            Why::Other => "failed",
        };
        write!(f, ": {what}")?;
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => {}
            ("", message) => write!(f, " ({message})")?,
            (code, "") => write!(f, " ({code})")?,
            (code, message) => write!(f, " ({code}: {message})")?,
        }
        write!(f, "; {}", self.advice())
    }
}

/// Whether a request could not be signed.
fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<CredentialsError>() {
            return true;
        }
        next = cause.source();
    }
    false
}

/// An error and its causes in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_told = cause.to_string();
        if !told.contains(&cause_told) {
            told.push_str(": ");
            told.push_str(&cause_told);
        }
        next = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{Call, Failure, Service, Why};

    #[test]
    fn codes_of_all_services_say_why() {
        let codes = [
            ("ExpiredToken", Why::Credentials),
            ("AuthFailure", Why::Credentials),
            ("UnauthorizedOperation", Why::Denied),
            ("AccessDeniedException", Why::Denied),
            ("ThrottlingException", Why::Throttled),
            ("RequestLimitExceeded", Why::Throttled),
            ("OptInRequired", Why::RegionOff),
            ("InvalidVpcID.NotFound", Why::NotFound),
            ("NoSuchBucketPolicy", Why::NotFound),
            ("InternalError", Why::Other),
        ];
        for (code, why) in codes {
            assert_eq!(Why::of_code(code), why, "{code}");
        }
    }

    #[test]
    fn a_failure_names_call_region_account_and_what_to_do() {
        let failure = Failure {
            call: Call {
                service: Service::EC2,
                operation: "DescribeVpcs",
                region: "eu-west-1".into(),
                account: "123456789012".into(),
            },
            why: Why::Denied,
            code: "UnauthorizedOperation".to_owned(),
            message: "You are not authorized".to_owned(),
        };
        assert_eq!(
            failure.to_string(),
            "ec2:DescribeVpcs in eu-west-1 of 123456789012: access denied (UnauthorizedOperation: You are not \
             authorized); allow ec2:DescribeVpcs to the principal, or exclude the kind"
        );
    }
}
