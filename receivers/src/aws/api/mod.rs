//! Calls AWS's APIs through the SDK, and reads their responses as JSON.
//!
//! ```text
//!  Pager ─▶ AccountRegion::call ─▶ rate limits ─▶ SDK ─▶ AWS
//!                                                  │ the bytes of the response, or an error
//!           JSON, the API's own field names ◀─ shapes ─┘
//!           ScanFailure, logged once by FailureLog ◀───┘
//! ```

mod account_region;
mod call;
mod failure;
mod failure_log;
pub(super) mod fields;
mod rate_limits;
mod service;
mod shapes;

pub(super) use account_region::{AccountRegion, ResourceOwners, id_of};
pub(super) use call::{Capture, Pager};
pub use failure::{AwsCall, FailureReason, ScanFailure};
pub(super) use failure_log::FailureLog;
pub(super) use rate_limits::RateLimits;
pub(super) use service::AwsService;
