//! `health`: one row a judgement of a node over a window. `time` is the window's end.

use super::{columns, types};

columns! {
    /// `healthy`, `degraded`, `failing`, `idle` or `unknown`, from the node's own figures.
    STATE "state": types::word();
    /// The worst that it inherits from what it depends on; same values.
    INHERITED_STATE "inherited_state": types::word() => nullable;
    /// Length of the window, in seconds.
    WINDOW "window": types::float64();
    /// Requests per second; null where none are counted.
    RATE "rate": types::float64() => nullable;
    /// Failed share of requests, 0 to 1; null where none are counted.
    ERROR_RATIO "error_ratio": types::float64() => nullable;
    /// 95th percentile of duration, in seconds; null where none are counted.
    P95 "p95": types::float64() => nullable;
    /// Why: one rule and its figures in words.
    REASON "reason": types::text() => nullable;
}
