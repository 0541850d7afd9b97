//! Failures of API calls: the call, its account and region, the reason and a remedy.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::service::AwsService;

/// An API call, with its account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsCall {
    pub(in crate::aws) service: AwsService,
    /// `DescribeVpcs`.
    pub(in crate::aws) operation: &'static str,
    pub(in crate::aws) region: Box<str>,
    /// The account id; empty if it is not known yet.
    pub(in crate::aws) account: Box<str>,
}

/// A failed call. It contains no secret: AWS's messages name principals and resources, and only the first line of a
/// message is kept. (After a wrong signature, the other lines repeat the request with its session token.)
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScanFailure {
    pub(in crate::aws) call: AwsCall,
    pub(in crate::aws) reason: FailureReason,
    /// AWS's error code, such as `UnauthorizedOperation`; empty if there was no response with a code.
    pub(in crate::aws) code: String,
    pub(in crate::aws) message: String,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// Credentials are missing, wrong or expired.
    Credentials,
    Denied,
    Throttled,
    /// The region is disabled in the account.
    RegionDisabled,
    /// The resource does not exist.
    NotFound,
    TimedOut,
    Unreachable,
    Malformed,
    /// The call succeeded, but the rows of its response were not acknowledged.
    NotDelivered,
    Other,
}

impl FailureReason {
    /// The reason for an error code. The services share these codes (Common Errors of each API reference).
    fn from_code(code: &str) -> FailureReason {
        match code {
            "OptInRequired" | "RegionDisabled" | "RegionDisabledException" => {
                FailureReason::RegionDisabled
            }
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
            | "NotSignedUp" => FailureReason::Credentials,
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "AllAccessDisabled"
            | "AuthorizationError"
            | "NotAuthorized" => FailureReason::Denied,
            code if code.contains("Throttl") => FailureReason::Throttled,
            "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "BandwidthLimitExceeded"
            | "LimitExceededException" => FailureReason::Throttled,
            code if code.contains("NotFound") => FailureReason::NotFound,
            code if code.starts_with("NoSuch") => FailureReason::NotFound,
            _ => FailureReason::Other,
        }
    }
}

impl ScanFailure {
    /// The failure for an error of the SDK.
    pub(in crate::aws) fn from_sdk<E, R>(call: AwsCall, error: &SdkError<E, R>) -> ScanFailure
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map(str::to_owned);
        let reason = match error {
            SdkError::ServiceError(_) => FailureReason::from_code(&code),
            SdkError::TimeoutError(_) => FailureReason::TimedOut,
            SdkError::ResponseError(_) => FailureReason::Malformed,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => FailureReason::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_io() => FailureReason::Unreachable,
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_)
                if lacks_credentials(error) =>
            {
                FailureReason::Credentials
            }
            _ => FailureReason::Other,
        };
        let message = message.unwrap_or_else(|| causes(error));
        ScanFailure {
            call,
            reason,
            code,
            message: message.lines().next().unwrap_or_default().to_owned(),
        }
    }

    /// The failure for a response that cannot be read.
    pub(in crate::aws) fn malformed(call: AwsCall, reason: impl fmt::Display) -> ScanFailure {
        ScanFailure {
            call,
            reason: FailureReason::Malformed,
            code: String::new(),
            message: reason.to_string(),
        }
    }

    /// Whether the resource does not exist.
    pub(in crate::aws) fn is_not_found(&self) -> bool {
        self.reason == FailureReason::NotFound
    }

    /// Whether the resource exists and only the requested setting does not.
    pub(in crate::aws) fn is_no_such_setting(&self) -> bool {
        let codes = [
            "NoSuchBucketPolicy",
            "NoSuchConfiguration",
            "NoSuchPublicAccessBlockConfiguration",
            "NoSuchTagSet",
            "ServerSideEncryptionConfigurationNotFoundError",
        ];
        codes.contains(&self.code.as_str())
    }

    /// Whether the service does not know the account or its keys.
    fn is_unknown_account(&self) -> bool {
        let codes = [
            "AuthFailure",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
        ];
        codes.contains(&self.code.as_str())
    }

    /// A remedy for the user.
    fn advice(&self) -> String {
        let AwsCall {
            service,
            operation,
            region,
            ..
        } = &self.call;
        match self.reason {
            // AWS returns these codes for a disabled region, too: the region does not know the account.
            FailureReason::Credentials if !self.call.account.is_empty() && self.is_unknown_account() => format!(
                "enable {region} in the account, or remove it from `regions`; if it is enabled, configure valid \
                 credentials"
            ),
            FailureReason::Credentials => {
                "configure valid credentials: AWS_PROFILE, a role of the instance or pod, or `profile` and \
                 `accounts` of the receiver"
                    .to_owned()
            }
            FailureReason::Denied => {
                let action = service.action(operation);
                format!("allow {action} to the principal, or exclude the kind")
            }
            FailureReason::Throttled => format!("lower `rate_limits: {{{service}: …}}` or lengthen `interval`"),
            FailureReason::RegionDisabled => format!("enable {region} in the account, or remove it from `regions`"),
            FailureReason::NotFound => "it may have been deleted while it was scanned".to_owned(),
            FailureReason::TimedOut => "check the network between airdig and AWS, or raise `timeout`".to_owned(),
            FailureReason::Unreachable => {
                "check the network, the region's name and `endpoint`; a VPC without internet access needs a VPC \
                 endpoint of the service"
                    .to_owned()
            }
            FailureReason::Malformed => {
                "the endpoint is not AWS, or this version of airdig cannot read its response".to_owned()
            }
            FailureReason::NotDelivered => "the next scan reports it again".to_owned(),
            FailureReason::Other => "the next scan tries again".to_owned(),
        }
    }
}

impl fmt::Display for ScanFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AwsCall {
            service,
            operation,
            region,
            account,
        } = &self.call;
        write!(f, "{service}:{operation} in {region}")?;
        if !account.is_empty() {
            write!(f, " of {account}")?;
        }
        let reason = match self.reason {
            FailureReason::Credentials => "no valid credentials",
            FailureReason::Denied => "access denied",
            FailureReason::Throttled => "throttled",
            FailureReason::RegionDisabled => "the region is disabled",
            FailureReason::NotFound => "not found",
            FailureReason::TimedOut => "timed out",
            FailureReason::Unreachable => "endpoint unreachable",
            FailureReason::Malformed => "malformed response",
            FailureReason::NotDelivered => "not delivered",
            FailureReason::Other => "failed",
        };
        write!(f, ": {reason}")?;
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => {}
            ("", message) => write!(f, " ({message})")?,
            (code, "") => write!(f, " ({code})")?,
            (code, message) => write!(f, " ({code}: {message})")?,
        }
        write!(f, "; {}", self.advice())
    }
}

/// Whether missing credentials caused the error, so that the request could not be signed.
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
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{AwsCall, AwsService, FailureReason, ScanFailure};

    #[test]
    fn error_code_determines_the_reason() {
        let codes = [
            ("ExpiredToken", FailureReason::Credentials),
            ("AuthFailure", FailureReason::Credentials),
            ("UnauthorizedOperation", FailureReason::Denied),
            ("AccessDeniedException", FailureReason::Denied),
            ("ThrottlingException", FailureReason::Throttled),
            ("RequestLimitExceeded", FailureReason::Throttled),
            ("OptInRequired", FailureReason::RegionDisabled),
            ("InvalidVpcID.NotFound", FailureReason::NotFound),
            ("NoSuchBucketPolicy", FailureReason::NotFound),
            ("InternalError", FailureReason::Other),
        ];
        for (code, reason) in codes {
            assert_eq!(FailureReason::from_code(code), reason, "{code}");
        }
    }

    #[test]
    fn message_names_call_region_account_and_remedy() {
        let failure = ScanFailure {
            call: AwsCall {
                service: AwsService::EC2,
                operation: "DescribeVpcs",
                region: "eu-west-1".into(),
                account: "123456789012".into(),
            },
            reason: FailureReason::Denied,
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
