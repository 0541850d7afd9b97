//! The columns of `refresh_requests`: one row for each uid whose description must be refreshed now. The engine passes
//! it to the receivers that accept such rows. `time` is the time of the request.

use super::{columns, types};

columns! {
    /// The scope of the uid; null if it is unknown.
    SCOPE "scope": types::text() => nullable;
    /// The reason for the request: `drift`, `change`, `placeholder`.
    REASON "reason": types::word();
}
