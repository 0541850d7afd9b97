//! `refresh_requests`: one row a uid that somebody wants described again, now. The engine hands it
//! to the receivers that declare the scope. `time` is when it was asked.

use super::{columns, types};

columns! {
    /// Scope that the uid belongs to; null where unknown.
    SCOPE "scope": types::text() => nullable;
    /// Why it is asked: `drift`, `change`, `placeholder`.
    REASON "reason": types::word();
}
