//! The first columns of every signal, so that any two signals can be joined or unioned.

use super::{columns, types};

columns! {
    /// Time of the event, by the clock of the source; null if the source reports no time, or one that int64 nanoseconds
    /// cannot hold (after 2262-04-11).
    TIME "time": types::timestamp() => nullable;
    /// The graph node that the row is about; null until it is resolved.
    UID "uid": types::text() => nullable;
    /// The component and provider that reported the row: `otlp`, `aws/prod`.
    SOURCE "source": types::word();
}
