//! The columns of `health`: one row for each assessment of a node over a window. `time` is the end of the window.

use super::{columns, types};

columns! {
    /// `healthy`, `degraded`, `failing`, `idle` or `unknown`, derived from the values below.
    STATE "state": types::word();
    /// The worst state of the nodes that the node depends on; same values.
    INHERITED_STATE "inherited_state": types::word() => nullable;
    /// Length of the window, in seconds.
    WINDOW "window": types::float64();
    /// Requests per second; null if no requests are counted.
    RATE "rate": types::float64() => nullable;
    /// Failed share of requests, 0 to 1; null if no requests are counted.
    ERROR_RATIO "error_ratio": types::float64() => nullable;
    /// 95th percentile of duration, in seconds; null if no requests are counted.
    P95 "p95": types::float64() => nullable;
    /// Reason for the state: one rule and its values in words.
    REASON "reason": types::text() => nullable;
}
