//! The columns that every signal opens with, so that any two can be joined or unioned.

use super::{columns, types};

columns! {
    /// When it happened, by the source's clock; null where the source gave no time or one that
    /// int64 nanoseconds do not hold (after 2262-04-11).
    TIME "time": types::timestamp() => nullable;
    /// The graph node that this row is about; null until resolved.
    UID "uid": types::text() => nullable;
    /// Which component and provider said so: `otlp`, `aws/prod`.
    SOURCE "source": types::word();
}
